import { randomUUID } from 'node:crypto';

export interface Charge {
  readonly chargeId: string;
  readonly amount: number;
}

/** A payment provider that takes every card, and a note of whom it charged. */
export const charged: string[] = [];
const charges = new Map<string, Charge>();

export const payments = {
  /** Like a provider that knows an idempotency key: one charge for each. */
  async charge(orderId: string, amount: number, idempotencyKey: string = randomUUID()): Promise<Charge> {
    const charge = charges.get(idempotencyKey) ?? { chargeId: randomUUID(), amount };
    if (!charges.has(idempotencyKey)) charged.push(orderId);
    charges.set(idempotencyKey, charge).set(orderId, charge);
    return charge;
  },

  async find(orderId: string): Promise<Charge | undefined> {
    return charges.get(orderId);
  },
};
