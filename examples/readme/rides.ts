import type { MSKRecord } from 'aws-lambda';
import { dynamoDBStore, idempotentBatch } from 'effectively-once';
import { payments } from './payments.ts';

const rideIn = ({ value }: MSKRecord) => JSON.parse(Buffer.from(value, 'base64').toString());

export const handler = idempotentBatch(
  async (record: MSKRecord) => {
    const { rideId, fare } = rideIn(record);
    return payments.charge(rideId, fare);
  },
  {
    store: dynamoDBStore(),
    key: (record) => rideIn(record).rideId,
    onTerminal: async (record, error) => console.warn(`${record.topic}/${record.partition}/${record.offset}: ${error}`),
  },
);
