export type Charge = (orderId: string, amount: number, idempotencyKey: string) => Promise<string>;

/** Stands in for your payment provider: replace it by a call that takes the idempotency key. */
export const charge: Charge = async (orderId, amount, idempotencyKey) => {
  console.log(JSON.stringify({ charged: orderId, amount, idempotencyKey }));
  return `charge of ${orderId}`;
};
