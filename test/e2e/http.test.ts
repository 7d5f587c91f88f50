import { randomUUID } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import type { Fault, Job } from './handlers/job.ts';
import { TIMEOUT } from './stack.ts';
import { type Answer, effectsOf, expectOneEffect, output, post, retried, tables } from './world.ts';

const CLOCK_SKEW_MS = 1_000;

const url = `${output('Faulty', 'ApiUrl')}/jobs`;

const ask = (job: Job, caller = 'alice', key = job.orderId): Promise<Answer> =>
  post(url, job, { 'Idempotency-Key': key, Authorization: caller });

describe('another caller with the same key', () => {
  it('gets an answer of its own, and an effect of its own', async () => {
    const key = randomUUID();
    const orders = { alice: randomUUID(), bob: randomUUID() };
    const alice = await ask({ orderId: orders.alice }, 'alice', key);
    const bob = await ask({ orderId: orders.bob }, 'bob', key);
    expect([alice, bob].map(({ status, isReplay }) => [status, isReplay])).toEqual([
      [201, false],
      [201, false],
    ]);
    expect(await ask({ orderId: orders.alice }, 'alice', key)).toMatchObject({ isReplay: true, body: alice.body });
    expect(await ask({ orderId: orders.bob }, 'bob', key)).toMatchObject({ isReplay: true, body: bob.body });
    await expectOneEffect('Faulty', orders.alice);
    await expectOneEffect('Faulty', orders.bob);
  });
});

interface Row {
  readonly fault: Fault;
  /** How often the effect is asked for, always by the same key. */
  readonly requests: number;
}

const ROWS: readonly Row[] = [
  { fault: { kind: 'exit', at: 'start' }, requests: 1 },
  { fault: { kind: 'exit', at: 'effect' }, requests: 2 },
  { fault: { kind: 'exit', at: 'step' }, requests: 1 },
  { fault: { kind: 'hang', at: 'effect' }, requests: 2 },
  { fault: { kind: 'hang', at: 'step' }, requests: 1 },
];

describe('a run that is lost', () => {
  it.each(ROWS)('by $fault.kind at its $fault.at is made up for by a retry, once its lease is over', async (row) => {
    const job: Job = { orderId: randomUUID(), fault: row.fault };
    const lost = await ask(job);
    expect(lost.status).toBeGreaterThanOrEqual(500);
    const retry = await retried(() => ask(job));
    expect(retry).toMatchObject({ status: 201, isReplay: false });
    expect(JSON.parse(retry.body)).toMatchObject({ attempt: 2 });
    expect(await ask(job)).toMatchObject({ status: 201, isReplay: true, body: retry.body });
    await expectOneEffect('Faulty', job.orderId, row.requests);
  });

  it('by exit after its outcome is recorded is not repeated: the retry gets the outcome at once', async () => {
    const job: Job = { orderId: randomUUID(), fault: { kind: 'exit', at: 'outcome' } };
    expect((await ask(job)).status).toBeGreaterThanOrEqual(500);
    const retry = await ask(job);
    expect(retry).toMatchObject({ status: 201, isReplay: true });
    expect(JSON.parse(retry.body)).toMatchObject({ attempt: 1 });
    await expectOneEffect('Faulty', job.orderId);
  });

  it('is not made up for before its lease is over', async () => {
    const job: Job = { orderId: randomUUID(), fault: { kind: 'exit', at: 'effect' } };
    await ask(job);
    expect((await ask(job)).status).toBe(409);
    expect(await effectsOf('Faulty', job.orderId)).toMatchObject([{ requests: 1 }]);
    await retried(() => ask(job));
    await expectOneEffect('Faulty', job.orderId, 2);
  });
});

describe('a run that throws', () => {
  it.each([
    { at: 'start', requests: 1 },
    { at: 'effect', requests: 2 },
    { at: 'step', requests: 1 },
  ] as const)('at its $at gives the key back: the retry runs at once', async ({ at, requests }) => {
    const job: Job = { orderId: randomUUID(), fault: { kind: 'throw', at } };
    expect((await ask(job)).status).toBeGreaterThanOrEqual(500);
    expect(await ask(job)).toMatchObject({ status: 201, isReplay: false });
    await expectOneEffect('Faulty', job.orderId, requests);
  });
});

describe('the lease of a run', () => {
  it.each([
    ['the truth', undefined],
    ['nothing', 'missing'],
    ['an hour', 'an hour'],
  ] as const)(
    'outlives it by the clock skew at most, where the runtime says %s of the time that remains',
    async (_, remaining) => {
      const since = Date.now();
      const job: Job = { orderId: randomUUID(), fault: { kind: 'hang', at: 'effect' }, remaining };
      const run = ask(job);
      await expect.poll(() => inFlight(since), { timeout: 30_000, interval: 50 }).toHaveLength(1);
      const [record] = await inFlight(since);
      expect(record?.['leaseUntil'] - record?.['claimedAt']).toBeLessThanOrEqual(
        TIMEOUT.toMilliseconds() + CLOCK_SKEW_MS,
      );
      expect((await run).status).toBeGreaterThanOrEqual(500);
      await retried(() => ask(job));
      await expectOneEffect('Faulty', job.orderId, 2);
    },
  );
});

/** Records of runs by HTTP that are under way. */
async function inFlight(since: number): Promise<Record<string, any>[]> {
  const { Items = [] } = await tables.send(
    new ScanCommand({
      TableName: output('Faulty', 'RecordsTableName'),
      FilterExpression: 'begins_with(id, :scope) AND #status = :inProgress AND claimedAt >= :since',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':scope': 'http#', ':inProgress': 'IN_PROGRESS', ':since': since },
      ConsistentRead: true,
    }),
  );
  return Items;
}
