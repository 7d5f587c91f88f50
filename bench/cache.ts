import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { gzipSync } from 'node:zlib';
import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore, type Store } from 'effectively-once';
import type { Completed, Outcome } from '../src/core/record.ts';
import { pooled } from '../src/run/lanes.ts';
import { fromAttributes, type Item, toItem } from '../src/stores/dynamodb/item.ts';
import { used } from './heap.ts';

/**
 * What the cache of outcomes takes in memory, as a multiple of what it may: 16 MB of records that a table hands out, of each kind that
 * it may hold. Run with `--expose-gc`.
 */
const LIMIT = 16 * 1024 * 1024;

const OUTCOMES: Record<string, () => Outcome> = {
  nothing: () => ({ kind: 'value' }),
  'JSON, 100 bytes': () => ({ kind: 'value', body: text(100) }),
  'JSON, 1 KB': () => ({ kind: 'value', body: text(1_000) }),
  'JSON, 1 KB, Greek': () => ({ kind: 'value', body: `${text(600)}${'α'.repeat(200)}` }),
  'bytes, 500': () => ({ kind: 'value', codec: 'v8', body: randomBytes(500) }),
  'bytes, 7 KB': () => ({ kind: 'value', codec: 'v8', body: randomBytes(7_000) }),
  'JSON, 10 KB, packed': () => {
    const body = gzipSync(JSON.stringify({ text: text(500).repeat(20) }));
    return { kind: 'value', body, stored: { packed: 'gzip' } };
  },
  'an error': () => ({ kind: 'error', error: { name: 'Declined', message: text(60), statusCode: 402 } }),
  'an error of 2 KB': () => ({ kind: 'error', error: { name: 'Declined', message: text(900) }, body: text(1_000) }),
  'none, and why': () => ({ kind: 'unavailable', body: text(60) }),
};

function text(length: number): string {
  return randomBytes(length).toString('base64').slice(0, length);
}

/** Answers every claim by a record in the way, as it comes from the wire. */
function clientOf(outcome: () => Outcome): Pick<DynamoDBClient, 'send'> {
  const send = async ({ input }: { readonly input: { readonly Item: Item } }): Promise<never> => {
    const claimed = fromAttributes(input.Item);
    const { leaseUntil, steps, format, ...record } = claimed;
    const Item = fresh(
      toItem({
        ...record,
        status: 'COMPLETED',
        outcome: outcome(),
        completedAt: Date.now(),
        expiresAt: 2e9,
      } as Completed),
    );
    throw new ConditionalCheckFailedException({ Item, message: '', $metadata: {} });
  };
  return { send } as unknown as Pick<DynamoDBClient, 'send'>;
}

/** Texts and bytes are its own, as the SDK makes them. */
function fresh(item: Item): Item {
  return JSON.parse(
    JSON.stringify(item, (_, value) => (isBuffer(value) ? { $: Buffer.from(value).toString('base64') } : value)),
    (_, value) => (value?.$ === undefined ? value : Buffer.from(value.$, 'base64')),
  );
}

function isBuffer(value: { type?: string } | undefined): value is any {
  return value?.type === 'Buffer';
}

/** How much of its limit a full cache takes: the second of two, as the first brings much that is not its own. */
async function share(outcome: () => Outcome): Promise<number> {
  const full = async (): Promise<Store> => {
    const store = dynamoDBStore({ client: clientOf(outcome), tableName: 'idempotency', cache: LIMIT });
    await claims(store, 40_000);
    return store;
  };
  const first = await full();
  const before = await used();
  const second = await full();
  const after = await used();
  await Promise.all([claims(first, 1), claims(second, 1)]); // or they would be gone by then
  return (after - before) / LIMIT;
}

async function claims(store: Store, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const next = {
      id: `orders#${text(43)}`,
      identity: { key: text(36), operation: 'POST /orders', principal: text(60) },
      source: 'http',
      status: 'IN_PROGRESS',
      version: 1,
      attempt: 1,
      owner: crypto.randomUUID(),
      fingerprint: `2:${text(43)}`,
      claimedAt: Date.now(),
      leaseUntil: Date.now(),
      expiresAt: 2e9,
      steps: {},
    } as const;
    const written = await store.write({ kind: 'insert', next });
    const found = (!written.done && written.found) as Completed;
    await store.load?.(found.outcome, found.id);
  }
}

// One process for each kind: what one leaves behind is not the next one's.
const [kind] = process.argv.slice(2);
if (kind) {
  const held = await share(OUTCOMES[kind] as () => Outcome);
  console.log(`${kind.padEnd(22)} ${held.toFixed(2)}`);
  process.exitCode = Math.abs(held - 1) <= 0.1 ? 0 : 1;
} else {
  await pooled(Object.keys(OUTCOMES), availableParallelism(), async (name) => {
    const child = spawn(process.execPath, [...process.execArgv, import.meta.filename, name], { stdio: 'inherit' });
    const [status] = await once(child, 'exit');
    if (status !== 0) process.exitCode = 1;
  });
}
