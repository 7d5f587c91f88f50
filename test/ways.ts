import { AsyncLocalStorage } from 'node:async_hooks';
import middy from '@middy/core';
import type { Context, SQSRecord } from 'aws-lambda';
import {
  type CommonOptions,
  type Duration,
  type Execution,
  idempotent,
  idempotentBatch,
  runOnce,
  subscribe,
} from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { afterEach, expect } from 'vitest';

/** What is wrong with the events of calls that were answered. */
const misreported: string[] = [];
afterEach(() => expect(misreported.splice(0)).toEqual([]));

const ARRIVALS = ['started', 'replayed', 'refused'];
const ENDS = ['completed', 'released', 'adopted', 'lost', 'unsure'];
const calls = new AsyncLocalStorage<string[]>();

/** Every arrival tells one of the first, every start one of the last, and all before its door answers. */
async function audited<T>(call: () => Promise<T>, isProtected: boolean): Promise<T> {
  const told: string[] = [];
  const unsubscribe = subscribe(({ type }) => {
    if (calls.getStore() === told) told.push(type);
  });
  const count = (types: readonly string[]): number => told.filter((type) => types.includes(type)).length;
  try {
    return await calls.run(told, call);
  } finally {
    unsubscribe();
    const doors = count(['settled']);
    const isRight =
      told.at(-1) === 'settled' &&
      count(ARRIVALS) === (isProtected ? doors : doors - 1) &&
      count(['started']) === count(ENDS);
    if (!isRight) misreported.push(told.join(', '));
  }
}

/** One request, in whatever form a way in takes it. */
export interface Request {
  readonly key?: string;
  readonly payload?: unknown;
}

/** What its caller sees: a value (of a batch record just that it is done), or an error. */
export type Seen = { readonly value: unknown } | { readonly done: true } | { readonly error: any };

export interface WayOptions extends CommonOptions {
  readonly scope?: string;
  readonly lease?: Duration;
  /** Of the invocation, where there is one. */
  readonly timeoutMs?: number;
}

/** One of the four doors: builds a function of a request around a handler. */
export interface Way {
  readonly name: string;
  /** What its caller sees of a value. */
  readonly saw: (value: unknown) => Seen;
  readonly build: (
    handler: (execution: Execution) => unknown,
    options: WayOptions,
  ) => (request: Request) => Promise<Seen>;
}

/** Ms a Lambda invocation of these tests has. */
export const TIMEOUT_MS = 10_000;

/** What a caller sees of a refusal. */
export const refused = (code: string, details = {}) => ({ error: expect.objectContaining({ code, ...details }) });

const DOORS: readonly Omit<Way, 'saw'>[] = [
  {
    name: 'runOnce',
    build:
      (handler, { timeoutMs = TIMEOUT_MS, ...options }) =>
      ({ key, payload }) =>
        see(runOnce({ lease: timeoutMs, scope: 'test', ...options, key, payload }, handler)),
  },
  {
    name: 'idempotent',
    build: (handler, { timeoutMs, ...options }) => {
      const wrapped = idempotent(async (_: Request, context) => handler(context.idempotency), {
        ...options,
        ...OF_REQUEST,
      });
      return (request) => see(wrapped(request, lambdaContext(timeoutMs)));
    },
  },
  {
    name: 'middy',
    build: (handler, { timeoutMs, ...options }) => {
      const wrapped = middy<Request, unknown>()
        .use(idempotency<Request>({ ...OF_REQUEST, ...options }))
        .handler(async (_, context) => handler(context.idempotency));
      return (request) => see(wrapped(request, lambdaContext(timeoutMs)));
    },
  },
  {
    name: 'idempotentBatch',
    build: (handler, { timeoutMs, ...options }) => {
      const wrapped = idempotentBatch(async (_, context) => handler(context.idempotency), {
        scope: 'test',
        ...options,
        key: (record) => JSON.parse(record.body).key,
        fingerprint: (record) => JSON.parse(record.body).payload,
      });
      return async (request) => {
        const record = sqsRecord(JSON.stringify(request));
        try {
          const { batchItemFailures } = await wrapped({ Records: [record] }, lambdaContext(timeoutMs));
          return batchItemFailures.length === 0 ? { done: true } : { error: reported.get(record.messageId) };
        } catch (error) {
          return { error };
        }
      };
    },
  },
];

export const WAYS: readonly Way[] = DOORS.map(({ name, build }) => ({
  name,
  saw: (value) => (name === 'idempotentBatch' ? { done: true } : { value }),
  build: (handler, options) => {
    const call = build(handler, options);
    return async (request) => {
      const isProtected = String(request.key ?? '').trim() !== '' || options.onMissingKey !== 'run';
      return audited(() => call(request), isProtected);
    };
  },
}));

/** Errors by message id, from what the batch says of its failures. */
const reported = new Map<string, unknown>();
const log = console.error;
console.error = (...args: unknown[]) => {
  const [, messageId] = /^record (\S+) is reported as failed:$/.exec(String(args[0])) ?? [];
  if (messageId) reported.set(messageId, args[1]);
  else log(...args);
};

const OF_REQUEST = {
  scope: 'test',
  key: ({ key }: Request) => key,
  fingerprint: ({ payload }: Request) => payload,
};

async function see(answer: Promise<unknown>): Promise<Seen> {
  try {
    return { value: await answer };
  } catch (error) {
    return { error };
  }
}

export function lambdaContext(timeoutMs: number = TIMEOUT_MS): Context {
  const deadline = Date.now() + timeoutMs;
  return { functionName: 'test', getRemainingTimeInMillis: () => deadline - Date.now() } as Context;
}

export function sqsRecord(body: string, record: Partial<SQSRecord> = {}): SQSRecord {
  return {
    messageId: crypto.randomUUID(),
    receiptHandle: 'receipt',
    body,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: '0',
      SenderId: '',
      ApproximateFirstReceiveTimestamp: '0',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:queue',
    awsRegion: 'eu-central-1',
    ...record,
  };
}
