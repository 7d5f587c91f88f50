import { dynamoDBStore, idempotentBatch, TerminalError } from 'effectively-once';
import { payments } from './payments.ts';

class CardDeclined extends TerminalError {
  override name = 'CardDeclined';
}

export const handler = idempotentBatch(
  async (record) => {
    const { orderId, amount } = JSON.parse(record.body);
    return payments.charge(orderId, amount).catch((error) => {
      // Recorded: a redelivery gets this error again, and does not ask the provider.
      if (error.code === 'card_declined') throw new CardDeclined(error.message, { cause: error });
      throw error; // released: a redelivery tries again
    });
  },
  {
    store: dynamoDBStore(),
    key: (record) => JSON.parse(record.body).orderId,
    onTerminal: async (_record, error, { key }) => console.warn(`order ${key}: ${error}`), // the message is done
  },
);
