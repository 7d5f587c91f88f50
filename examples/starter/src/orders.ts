import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

export interface Order {
  readonly orderId: string;
  readonly amount: number;
}

const sqs = new SQSClient();

export type Send = (order: Order) => Promise<void>;

/** Queues an order to be charged. A second message of one order harms nobody: the consumer's key is the order. */
export const send: Send = async (order) => {
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env['QUEUE_URL'], MessageBody: JSON.stringify(order) }));
};
