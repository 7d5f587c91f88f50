import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { TerminalError } from 'effectively-once';

/** What the shop needs of a payment provider. */
export interface Payments {
  /**
   * As with Stripe, a request that comes again with the same idempotency key is answered, and charges nobody again.
   * Throws a `TerminalError` when the card is declined.
   */
  charge(orderId: string, amount: number, idempotencyKey: string): Promise<{ chargeId: string }>;
}

/** In cents; above it every card is declined. */
const LIMIT = 1_000_000;

/** A provider that charges nobody: it writes every charge into a ledger, with how often it was asked for. */
export function ledgerPayments(): Payments {
  const ledger = DynamoDBDocumentClient.from(new DynamoDBClient());
  return {
    async charge(orderId, amount, idempotencyKey) {
      if (amount > LIMIT) throw new TerminalError(`card declined for order ${orderId}`);
      const chargeId = `ch_${idempotencyKey}`;
      await ledger.send(
        new UpdateCommand({
          TableName: process.env['LEDGER_TABLE'],
          Key: { orderId, chargeId },
          UpdateExpression: 'SET amount = if_not_exists(amount, :amount) ADD requests :one',
          ExpressionAttributeValues: { ':amount': amount, ':one': 1 },
        }),
      );
      return { chargeId };
    },
  };
}
