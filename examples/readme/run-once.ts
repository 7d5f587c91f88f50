import { dynamoDBStore, runOnce } from 'effectively-once';
import { payments } from './payments.ts';

const store = dynamoDBStore();

export async function chargeOnce(order: { id: string; amount: number }) {
  return runOnce({ store, scope: 'charge', key: order.id, payload: order, lease: '30s' }, () =>
    payments.charge(order.id, order.amount),
  );
}
