import { randomUUID } from 'node:crypto';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { GetQueueAttributesCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { expect, inject } from 'vitest';
import { clientOf, LOCAL } from '../../local/dynamodb.ts';
import { fetchLocally } from '../../local/fetch.ts';

const { endpoint, outputs } = inject('cloud');

export const tables = DynamoDBDocumentClient.from(clientOf({ endpoint }));
export const sqs = new SQSClient({ ...LOCAL, endpoint });
const streams = new KinesisClient({ ...LOCAL, endpoint });

export function output(stack: 'Orders' | 'Faulty' | 'Trips', name: string): string {
  const value = outputs[stack]?.[name];
  if (value === undefined) throw new Error(`${stack} has no output ${name}`);
  return value;
}

/** What a caller gets, as it came. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  readonly isReplay: boolean;
}

export async function post(url: string, payload: object, headers: Record<string, string>): Promise<Answer> {
  const body = JSON.stringify(payload);
  const response = await fetchLocally(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body,
  });
  return {
    status: response.status,
    headers: response.headers,
    body: await response.text(),
    isReplay: response.headers.get('idempotent-replayed') === 'true',
  };
}

/** Asks again while it is told that the first run may still be under way. */
export async function retried(ask: () => Promise<Answer>): Promise<Answer> {
  let answer: Answer | undefined;
  const status = async (): Promise<number> => {
    answer = await ask();
    return answer.status;
  };
  await expect.poll(status, { timeout: 30_000, interval: 250 }).not.toBe(409);
  return answer as Answer;
}

/** Together, as far as the queue is concerned; `group` for a FIFO queue. Gives the ids of the messages. */
export async function send(
  queueUrl: string,
  payloads: readonly object[],
  { group, attributes }: { readonly group?: string; readonly attributes?: Readonly<Record<string, string>> } = {},
): Promise<string[]> {
  const MessageAttributes = Object.fromEntries(
    Object.entries(attributes ?? {}).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
  );
  const Entries = payloads.map((payload, index) => ({
    Id: `${index}`,
    MessageBody: JSON.stringify(payload),
    MessageAttributes,
    ...(group && { MessageGroupId: group, MessageDeduplicationId: randomUUID() }),
  }));
  const sent = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
  expect(sent.Failed ?? []).toEqual([]);
  const ids = new Map(sent.Successful?.map(({ Id, MessageId = '' }) => [Id, MessageId]));
  return Entries.map(({ Id }) => ids.get(Id) ?? '');
}

/** Puts records on a stream, in this order; each says what its partition key is. */
export async function put(
  StreamName: string,
  records: readonly { readonly partitionKey: string; readonly data: object }[],
): Promise<void> {
  const Records = records.map(({ partitionKey: PartitionKey, data }) => ({
    PartitionKey,
    Data: Buffer.from(JSON.stringify(data)),
  }));
  const { FailedRecordCount } = await streams.send(new PutRecordsCommand({ StreamName, Records }));
  expect(FailedRecordCount ?? 0).toBe(0);
}

/** Waits until nothing is in the queue, waiting, hidden or in flight. */
export async function drained(queueUrl: string, timeout = 90_000): Promise<void> {
  await expect.poll(() => lengthOf(queueUrl), { timeout, interval: 250 }).toBe(0);
}

export async function lengthOf(QueueUrl: string): Promise<number> {
  const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  const { ApproximateNumberOfMessages: waiting, ApproximateNumberOfMessagesNotVisible: hidden } = Attributes;
  return Number(waiting) + Number(hidden);
}

/** What the ledger of a stack has of an order: each row is an effect, and `requests` how often it was asked for. */
export async function effectsOf(stack: 'Orders' | 'Faulty', orderId: string): Promise<Record<string, any>[]> {
  const { Items = [] } = await tables.send(
    new QueryCommand({
      TableName: output(stack, 'LedgerTableName'),
      KeyConditionExpression: 'orderId = :orderId',
      ExpressionAttributeValues: { ':orderId': orderId },
      ConsistentRead: true,
    }),
  );
  return Items;
}

/** Exactly one effect, asked for so many times. */
export async function expectOneEffect(stack: 'Orders' | 'Faulty', orderId: string, requests = 1): Promise<void> {
  const effects = await effectsOf(stack, orderId);
  expect(effects.map((effect) => effect['requests'])).toEqual([requests]);
}
