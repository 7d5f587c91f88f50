import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Job } from './handlers/job.ts';
import { drained, effectsOf, expectOneEffect, output, send } from './world.ts';

const queue = output('Faulty', 'FifoQueueUrl');

const GROUPS: Record<string, Job[]> = {
  'without a failure': jobs(4),
  'with a failure in it': jobs(4, { kind: 'throw', at: 'start' }),
  'with a crash in it': jobs(4, { kind: 'exit', at: 'step' }),
};

function jobs(count: number, fault?: Job['fault']): Job[] {
  return Array.from({ length: count }, (_, i) => ({ orderId: randomUUID(), ...(i === 1 && fault && { fault }) }));
}

it.each(Object.keys(GROUPS))('a message group %s keeps its order, with one effect of each message', async (group) => {
  const sent = GROUPS[group] ?? [];
  await send(queue, sent, { group: group.replaceAll(' ', '-') });
  await drained(queue);
  for (const { orderId } of sent) await expectOneEffect('Faulty', orderId);
  const effects = await Promise.all(sent.map(({ orderId }) => effectsOf('Faulty', orderId)));
  const times = effects.flat().map(({ at }) => at);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(new Set(times).size).toBe(sent.length);
});
