import { randomUUID } from 'node:crypto';

/** A payment provider that takes every card, and a note of whom it charged. */
export const charged: string[] = [];
export const payments = {
  async charge(orderId: string, amount: number): Promise<{ chargeId: string; amount: number }> {
    charged.push(orderId);
    return { chargeId: randomUUID(), amount };
  },
};
