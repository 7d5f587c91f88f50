import { randomUUID } from 'node:crypto';

export interface Charge {
  readonly chargeId: string;
  readonly amount: number;
}

/** A payment provider that takes every card up to 10,000, and a note of whom it charged. */
export const charged: string[] = [];
const charges = new Map<string, Charge>();

export const payments = {
  /** Like a provider that knows an idempotency key: one charge for each. */
  async charge(orderId: string, amount: number, idempotencyKey: string = randomUUID()): Promise<Charge> {
    if (amount > 10_000) throw Object.assign(new Error('The card was declined.'), { code: 'card_declined' });
    const charge = charges.get(idempotencyKey) ?? { chargeId: randomUUID(), amount };
    if (!charges.has(idempotencyKey)) charged.push(orderId);
    charges.set(idempotencyKey, charge).set(orderId, charge);
    return charge;
  },

  async find(orderId: string): Promise<Charge | undefined> {
    return charges.get(orderId);
  },
};
