import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Fault, Job } from './handlers/job.ts';
import { drained, effectsOf, expectOneEffect, lengthOf, output, send } from './world.ts';

const queue = output('Faulty', 'JobsQueueUrl');

const jobOf = (fault?: Fault): Job => ({ orderId: randomUUID(), ...(fault && { fault }) });

describe('a message', () => {
  it('that comes again after it was done has one effect', async () => {
    const job = jobOf({ kind: 'exit', at: 'outcome' });
    await send(queue, [job]);
    await drained(queue);
    await expectOneEffect('Faulty', job.orderId);
  });

  it.each([
    { kind: 'exit', at: 'effect', requests: 2 },
    { kind: 'exit', at: 'step', requests: 1 },
    { kind: 'hang', at: 'effect', requests: 2 },
  ] as const)(
    'whose run is lost by $kind at its $at has one effect, asked for $requests times by one key',
    async (row) => {
      const { requests, ...fault } = row;
      const job = jobOf(fault);
      await send(queue, [job]);
      await drained(queue);
      await expectOneEffect('Faulty', job.orderId, requests);
    },
  );
});

describe('a batch', () => {
  it('of which one fails brings that one back alone', async () => {
    const jobs = [jobOf(), jobOf({ kind: 'throw', at: 'effect' }), jobOf()];
    await send(queue, jobs);
    await expect.poll(() => lengthOf(queue), { timeout: 15_000, interval: 100 }).toBe(1);
    await drained(queue);
    await Promise.all(jobs.map(({ orderId, fault }) => expectOneEffect('Faulty', orderId, fault ? 2 : 1)));
  });

  it('with ten duplicates in it has one effect', async () => {
    const job = jobOf();
    await send(queue, Array(10).fill(job));
    await drained(queue);
    await expectOneEffect('Faulty', job.orderId);
    expect(await effectsOf('Faulty', job.orderId)).toMatchObject([{ batch: 10 }]);
  });

  it('whose worker dies in the middle comes back whole, and each record has one effect', async () => {
    const jobs = [jobOf(), jobOf({ kind: 'exit', at: 'step' }), jobOf()];
    await send(queue, jobs);
    await drained(queue);
    for (const { orderId } of jobs) expect(await effectsOf('Faulty', orderId)).toHaveLength(1);
  });
});
