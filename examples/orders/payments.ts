import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { TerminalError } from 'effectively-once';

/** What the shop needs of a payment provider. */
export interface Payments {
  /** Throws a `TerminalError` when the card is declined. */
  charge(orderId: string, amount: number): Promise<{ chargeId: string }>;
}

/** In cents; above it every card is declined. */
const LIMIT = 1_000_000;

/** A provider that charges nobody: it writes every charge into a ledger, so that a double one can be counted. */
export function ledgerPayments(): Payments {
  const ledger = DynamoDBDocumentClient.from(new DynamoDBClient());
  return {
    async charge(orderId, amount) {
      if (amount > LIMIT) throw new TerminalError(`card declined for order ${orderId}`);
      const chargeId = randomUUID();
      await ledger.send(
        new PutCommand({ TableName: process.env['LEDGER_TABLE'], Item: { orderId, chargeId, amount } }),
      );
      return { chargeId };
    },
  };
}
