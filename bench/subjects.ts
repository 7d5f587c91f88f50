import { createHash } from 'node:crypto';
import { type DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import middy from '@middy/core';
import type { Context, SQSRecord } from 'aws-lambda';
import {
  dynamoDBStore,
  type Execution,
  idempotentBatch,
  type RunOnceOptions,
  runOnce,
  type Store,
} from 'effectively-once';
import { idempotency } from 'effectively-once/middy';

/** Where a path runs. */
export interface Place {
  readonly client: DynamoDBClient;
  /** A client whose requests are not counted. */
  readonly aside: DynamoDBClient;
  readonly table: string;
  readonly orders: string;
}

/** A path. What `prepare` asks for is not counted. */
export interface Subject {
  readonly name: string;
  readonly isVarying?: boolean;
  readonly prepare?: (place: Place) => Promise<unknown>;
  readonly go: (place: Place) => Promise<unknown>;
}

export const ORDER = { orderId: 'order-1', total: 4200 };

/** A store that has seen nothing. */
const cold = ({ client, table }: Place): Store => dynamoDBStore({ client, tableName: table });
const options = (place: Place, store = cold(place)): RunOnceOptions => ({
  store,
  scope: 'bench',
  key: 'order-1',
  payload: ORDER,
  lease: '30s',
});
const first =
  (handler: (execution: Execution) => unknown, more: Partial<RunOnceOptions> = {}) =>
  (place: Place): Promise<unknown> =>
    runOnce({ ...options(place), ...more }, handler);
const ordered = first(() => ORDER);

/** Two subjects: the first run with such a handler, and its duplicate. */
const firstAndDuplicate = (names: readonly [string, string], run: Subject['go']): Subject[] => [
  { name: names[0], go: run },
  { name: names[1], prepare: run, go: run },
];

/** Leaves a record in progress, as a run that was lost does. */
const interrupted =
  (leaseUntil: () => number) =>
  async (place: Place): Promise<void> => {
    const { aside, table: TableName } = place;
    const scan = async () => (await aside.send(new ScanCommand({ TableName }))).Items?.[0];
    const left = await runOnce(options(place), scan);
    const Item = { ...left, leaseUntil: { N: `${leaseUntil()}` } };
    await aside.send(new PutItemCommand({ TableName, Item }));
  };

const commit = (place: Place, more: Partial<RunOnceOptions> = {}): Promise<unknown> =>
  first(({ commit }) => commit(ORDER, [{ Put: { TableName: place.orders, Item: { id: 'order-1' } } }]), more)(place);

const context = { functionName: 'bench', getRemainingTimeInMillis: () => 60_000 } as Context;

async function byMiddy(place: Place): Promise<unknown> {
  const handler = middy<{ id: string }, unknown>()
    .use(idempotency<{ id: string }>({ store: cold(place), scope: 'bench', key: ({ id }) => id }))
    .handler(async () => ORDER);
  return handler({ id: 'order-1' }, context);
}

const batch =
  (records: number, concurrency: number) =>
  (place: Place): Promise<unknown> => {
    const handler = idempotentBatch(async () => ORDER, { store: cold(place), scope: 'bench', concurrency });
    const Records = Array.from({ length: records }, (_, index) => {
      const eventSourceARN = 'arn:aws:sqs:eu-central-1:000000000000:orders';
      return { messageId: `m-${index}`, body: `{"order":${index}}`, eventSourceARN, attributes: {} } as SQSRecord;
    });
    return handler({ Records }, context);
  };

/** A text in which nothing repeats, the same in every run. */
function noise(bytes: number, seed = ''): string {
  const hash = createHash('shake256', { outputLength: bytes });
  return hash.update(seed).digest('base64').slice(0, bytes);
}

/** JSON as services answer it. */
function rows(bytes: number): string {
  const row = (_: unknown, id: number) => ({
    id,
    sku: `sku-${(id * 7919) % 1000}`,
    name: `Item ${id}`,
    price: id * 1.25,
  });
  return JSON.stringify(Array.from({ length: Math.ceil(bytes / 50) }, row)).slice(0, bytes);
}

/** Sizes of results, in KB. */
export const SIZES = [1, 10, 100, 300, 1024] as const;
export const CONTENTS = { JSON: rows, random: noise } as const;

export function sizeName(kilobytes: number, content: string): string {
  return `${kilobytes < 1024 ? `${kilobytes} KB` : '1 MB'} of ${content}`;
}

export function resultName(kilobytes: number, content: string, what: 'first run' | 'duplicate'): string {
  return `${what}, ${sizeName(kilobytes, content)}`;
}

const results = Object.entries(CONTENTS).flatMap(([content, textOf]) =>
  SIZES.flatMap((kilobytes) => {
    const run = first(() => textOf(kilobytes * 1024));
    const nameOf = (what: 'first run' | 'duplicate') => resultName(kilobytes, content, what);
    return firstAndDuplicate([nameOf('first run'), nameOf('duplicate')], run);
  }),
);

const steps = (count: number, bytes: number) =>
  first(async ({ step }) => {
    for (let index = 0; index < count; index++) await step(`step-${index}`, () => noise(bytes, `${index}`));
  });
const sideBySide = first(({ step }) =>
  Promise.all(Array.from({ length: 40 }, (_, index) => step(`step-${index}`, () => noise(500, `${index}`)))),
);

const failing = async (place: Place): Promise<void> => {
  const failure = new Error('the provider is down');
  await first(() => Promise.reject(failure))(place).catch((error) => {
    if (error !== failure) throw error;
  });
};

let warm: Store;

export const SUBJECTS: readonly Subject[] = [
  ...firstAndDuplicate(['first run', 'duplicate'], ordered),
  {
    name: 'warm duplicate',
    prepare: (place) => {
      warm = cold(place);
      return runOnce(options(place, warm), () => ORDER);
    },
    go: (place) => runOnce(options(place, warm), () => ORDER),
  },
  { name: 'Middy first run', go: byMiddy },
  {
    name: 'conflict refused',
    prepare: interrupted(() => Date.now() + 60_000),
    go: (place) => ordered(place).then(Promise.reject, () => {}),
  },
  { name: 'release after a failure', go: failing },
  { name: 'retry after a release', prepare: failing, go: ordered },
  { name: 'takeover', prepare: interrupted(() => 1), go: ordered },
  { name: 'one step', go: steps(1, 120) },
  { name: '10 steps', go: steps(10, 120) },
  { name: '40 steps of 1 KB', go: steps(40, 1024) },
  { name: '40 steps of 7 KB', go: steps(40, 7 * 1024) },
  { name: '40 steps of 500 bytes at once', isVarying: true, go: sideBySide },
  { name: 'commit with one write', go: commit },
  ...firstAndDuplicate(['atomic first', 'atomic duplicate'], (place) => commit(place, { mode: 'atomic' })),
  ...results,
  ...firstAndDuplicate(['batch of 10 new', 'batch of 10 duplicates'], batch(10, 10)),
  { name: '1,000 new records', isVarying: true, go: batch(1_000, 100) },
];
