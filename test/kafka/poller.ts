import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, Message } from '@platformatic/kafka';
import type { MSKEvent, MSKRecord } from 'aws-lambda';

/** What one invocation came to: `threw`, or how many of its records are to come again. */
export interface Delivery {
  readonly records: number;
  readonly failed: number;
  readonly threw: boolean;
}

export interface PollerOptions {
  readonly consumer: Pick<Consumer, 'consume' | 'commit'>;
  readonly topic: string;
  readonly bootstrapServers: string;
  readonly batchSize: number;
  readonly invoke: (event: MSKEvent) => Promise<unknown>;
  readonly delivered: (delivery: Delivery) => void;
  /** Comes between a batch that is done and its checkpoint. */
  readonly beforeCheckpoint: () => Promise<void>;
}

const BACKOFF_MS = 50;

/**
 * Does what Lambda's pollers do in provisioned mode: takes each partition in batches, one at a time and in order; has what the answer
 * names retried alone, and everything if there is no sensible one, without end; and commits the group's offset behind a batch
 * when all of it is done. Ends with an error.
 */
export async function poll(options: PollerOptions): Promise<never> {
  const { consumer, topic, batchSize } = options;
  const waiting = new Map<number, Message[]>();
  const stream = await consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest' });
  const { promise: broken, reject } = Promise.withResolvers<never>();

  const work = async (partition: number, messages: Message[]): Promise<void> => {
    while (messages.length > 0) await deliver(options, partition, messages.splice(0, batchSize));
    waiting.delete(partition);
  };
  const receive = async (): Promise<void> => {
    for await (const message of stream) {
      const { partition } = message;
      const queue = waiting.get(partition);
      if (queue) queue.push(message);
      else {
        const messages = [message];
        waiting.set(partition, messages);
        work(partition, messages).catch(reject);
      }
    }
    throw new Error('the stream of messages has ended');
  };
  receive().catch(reject);
  return broken;
}

async function deliver(options: PollerOptions, partition: number, messages: readonly Message[]): Promise<void> {
  const { consumer, topic, bootstrapServers, invoke, delivered, beforeCheckpoint } = options;
  let records: readonly MSKRecord[] = messages.map(recordOf);
  while (records.length > 0) {
    const event: MSKEvent = {
      eventSource: 'aws:kafka',
      eventSourceArn: 'arn:aws:kafka:eu-central-1:000000000000:cluster/trips/1',
      bootstrapServers,
      records: { [`${topic}-${partition}`]: [...records] },
    };
    const answer = await invoke(event).catch(() => THREW);
    const failed = answer === THREW ? records : unfinished(records, answer);
    delivered({ records: records.length, failed: failed.length, threw: answer === THREW });
    records = failed;
    if (records.length > 0) await sleep(BACKOFF_MS);
  }
  await beforeCheckpoint();
  const { offset, leaderEpoch } = messages.at(-1) as Message;
  await consumer.commit({ offsets: [{ topic, partition, offset: offset + 1n, leaderEpoch }] });
}

const THREW = Symbol('threw');

/** The records that an answer has come again; all of them if it is none that Lambda understands. */
export function unfinished(records: readonly MSKRecord[], answer: unknown): readonly MSKRecord[] {
  const failures = (answer as { readonly batchItemFailures?: unknown } | undefined | null)?.batchItemFailures ?? [];
  if (!Array.isArray(failures)) return records;
  const named = failures.map((failure) => records.find((record) => isNamed(record, failure?.itemIdentifier)));
  if (named.includes(undefined)) return records;
  return records.filter((record) => named.includes(record));
}

function isNamed({ topic, partition, offset }: MSKRecord, identifier: any): boolean {
  return identifier?.partition === `${topic}-${partition}` && identifier.offset === offset;
}

/** As Lambda writes a message: a tombstone has no value. */
export function recordOf({ topic, partition, offset, timestamp, key, value, headers }: Message): MSKRecord {
  const inBase64 = (bytes: Buffer | null | undefined): string | undefined => bytes?.toString('base64') ?? undefined;
  return {
    topic,
    partition,
    offset: Number(offset),
    timestamp: Number(timestamp),
    timestampType: 'CREATE_TIME',
    key: inBase64(key),
    value: inBase64(value),
    headers: Array.from(headers, ([name, bytes]) => ({ [`${name}`]: [...bytes] })),
  } as MSKRecord;
}
