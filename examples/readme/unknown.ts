import { dynamoDBStore, runOnce } from 'effectively-once';
import { payments } from './payments.ts';

const store = dynamoDBStore();

export async function payOnce(order: { id: string; amount: number }) {
  return runOnce(
    {
      store,
      scope: 'pay',
      key: order.id,
      payload: order,
      lease: '30s',
      onUnknown: async () => {
        const charge = await payments.find(order.id);
        return charge ? { value: charge } : { rerun: true };
      },
    },
    ({ keyFor }) => payments.charge(order.id, order.amount, keyFor('charge')),
  );
}
