import { dynamoDBStore, idempotent } from 'effectively-once';
import { payments } from './payments.ts';

/** As the schedule's input says: { "schedule": "<aws.scheduler.schedule-arn>", "at": "<aws.scheduler.scheduled-time>", … } */
interface Billing {
  readonly schedule: string;
  readonly at: string;
  readonly invoice: { readonly id: string; readonly amount: number };
}

export const handler = idempotent(async ({ invoice }: Billing) => payments.charge(invoice.id, invoice.amount), {
  store: dynamoDBStore(),
  key: ({ schedule, at }) => `${schedule}@${at}`,
  fingerprint: ({ invoice }) => invoice,
});
