import { dynamoDBStore } from 'effectively-once';
import { recordId, resolve } from 'effectively-once/operator';

const store = dynamoDBStore();

/** `chargeId`: as the provider's dashboard says; undefined if there was no charge. */
export async function decide(orderId: string, chargeId?: string) {
  const id = recordId({ scope: 'pay', key: orderId });
  await resolve(store, id, chargeId === undefined ? { rerun: true } : { value: { chargeId } });
}
