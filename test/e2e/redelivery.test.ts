import { randomUUID } from 'node:crypto';
import { type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it, vi } from 'vitest';
import type { Job } from './handlers/job.ts';
import { receivesOf } from './handlers/receives.ts';
import { REDELIVERY_TIMEOUT } from './stack.ts';
import { effectsOf, expectOneEffect, lengthOf, output, send, sqs } from './world.ts';

const CONSUMERS = ['WithRedelivery', 'WithoutRedelivery'] as const;
type Consumer = (typeof CONSUMERS)[number];

const queueOf = (consumer: Consumer): string => output('Faulty', `${consumer}QueueUrl`);
const deadLettersOf = (consumer: Consumer): string => output('Faulty', `${consumer}DeadLetterQueueUrl`);

/** Epoch ms of the receives of a message. */
async function receives(messageId: string): Promise<number[]> {
  return (await effectsOf('Faulty', receivesOf(messageId))).map(({ at }) => at);
}

/** Waits for an answer that is not `undefined`; unlike `expect.poll` also in tests that run side by side. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const found = await vi.waitUntil(ask, { timeout: 200_000, interval: 100 });
  return found as T;
}

const received = (messageId: string, times: number): Promise<number[]> =>
  until(async () => {
    const known = await receives(messageId);
    return known.length >= times ? known : undefined;
  });

/** When the effect of an order came. */
const effectAt = (orderId: string): Promise<number> =>
  until<number>(async () => (await effectsOf('Faulty', orderId))[0]?.['at']);

const lengthIs = (queueUrl: string, length: number): Promise<true> =>
  until(async () => (await lengthOf(queueUrl)) === length || undefined);

/** The same on both queues at once, in seconds. */
async function measured<T>(of: string, measure: (consumer: Consumer) => Promise<T>): Promise<readonly [T, T]> {
  const [withIt, without] = await Promise.all([measure('WithRedelivery'), measure('WithoutRedelivery')]);
  console.log(`${of}: ${JSON.stringify({ with: withIt, without })}`);
  return [withIt, without];
}

const seconds = (ms: number): number => Math.round(ms / 100) / 10;

const jobOf = (fault: Job['fault']): Job => ({ orderId: randomUUID(), fault });

describe('a message of SQS, with and without sqsRedelivery', () => {
  it.concurrent('that fails comes again when `retryAfter` says, not when the queue does', async () => {
    const [withIt, without] = await measured('s between the receives of a failing message', async (consumer) => {
      const job = jobOf({ kind: 'throw', at: 'start', attempts: 2 });
      const [id = ''] = await send(queueOf(consumer), [job]);
      const times = await received(id, 3);
      await effectAt(job.orderId);
      await expectOneEffect('Faulty', job.orderId);
      return times.slice(1).map((at, index) => seconds(at - (times[index] ?? 0)));
    });
    expect(withIt).toHaveLength(2);
    expect(without).toHaveLength(2);
    expect(Math.max(...withIt) * 2).toBeLessThan(Math.min(...without));
  });

  it.concurrent.each([
    ['in which its lease may end', undefined],
    ['in which its lease does not end', '2500'],
  ])(
    'that comes after a crash, with time left %s, costs one receive, and is done when the lease ends',
    async (time, ms) => {
      const of = `s from a duplicate, with time left ${time}, to the effect, and its receives`;
      const [withIt, without] = await measured(of, (consumer) => conflict(consumer, ms ? { 'remaining-ms': ms } : {}));
      expect(withIt.receives).toBeLessThanOrEqual(2); // the other one is that of the effect
      expect(withIt.after * 2).toBeLessThan(without.after);
    },
  );

  it.concurrent('whose error is terminal is a dead letter at once, with its attributes', async () => {
    const job = jobOf({ kind: 'terminal', at: 'start', attempts: 1_000 });
    let dead: Message | undefined;
    const [withIt, without] = await measured(
      's until a terminal error is a dead letter, or comes again',
      async (consumer) => {
        const [id = ''] = await send(queueOf(consumer), [job], { attributes: { origin: 'shop' } });
        const [first = 0] = await received(id, 1);
        if (consumer === 'WithRedelivery') dead = await deadLetter(consumer);
        else await received(id, 2);
        const times = await receives(id);
        const end = times[1] ?? Date.now();
        const deadLetters = await lengthOf(deadLettersOf(consumer));
        return { after: seconds(end - first), receives: times.length, deadLetters };
      },
    );
    expect(JSON.parse(dead?.Body ?? '')).toEqual(job);
    expect(dead?.MessageAttributes).toMatchObject({
      origin: { StringValue: 'shop' },
      reason: { StringValue: 'TerminalError: on command' },
      'record-id': { StringValue: expect.stringMatching(/^withredelivery#/) },
    });
    expect(withIt).toMatchObject({ receives: 1, deadLetters: 1 });
    expect(without).toMatchObject({ receives: 2, deadLetters: 0 });
    expect(withIt.after * 2).toBeLessThan(without.after);
  });
});

interface Waited {
  /** Seconds from its first receive to its effect. */
  readonly after: number;
  readonly receives: number;
}

/** A run crashes, and a duplicate is received while its lease lasts: on a slow machine not at the first try. */
async function conflict(consumer: Consumer, attributes: Record<string, string>, tries = 5): Promise<Waited> {
  const job = jobOf({ kind: 'exit', at: 'start' });
  const [crashing = ''] = await send(queueOf(consumer), [job]);
  const [crashed = 0] = await received(crashing, 1);
  const [duplicate = ''] = await send(queueOf(consumer), [job], { attributes });
  const [came = 0] = await received(duplicate, 1);
  const isLate = came - crashed > REDELIVERY_TIMEOUT.toMilliseconds() / 2;
  if (isLate && tries > 1) return conflict(consumer, attributes, tries - 1);
  const effect = await effectAt(job.orderId);
  // Without redelivery the queue is not empty for minutes, since what is terminal comes five times.
  if (consumer === 'WithRedelivery') await lengthIs(queueOf(consumer), 0);
  await expectOneEffect('Faulty', job.orderId);
  return { after: seconds(effect - came), receives: (await receives(duplicate)).length };
}

/** The one in a dead-letter queue. */
async function deadLetter(consumer: Consumer): Promise<Message> {
  const QueueUrl = deadLettersOf(consumer);
  await lengthIs(QueueUrl, 1);
  const { Messages: [dead] = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ['All'] }),
  );
  return dead as Message;
}
