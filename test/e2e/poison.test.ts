import { randomUUID } from 'node:crypto';
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import type { Job } from './handlers/job.ts';
import { drained, effectsOf, expectOneEffect, lengthOf, output, send, sqs } from './world.ts';

const queue = output('Faulty', 'PoisonQueueUrl');
const deadLetters = output('Faulty', 'PoisonDeadLetterQueueUrl');

it('a poison message ends in the dead-letter queue; redriven when it is cured, it has one effect', async () => {
  const job: Job = { orderId: randomUUID(), fault: { kind: 'throw', at: 'start', attempts: 5 } };
  await send(queue, [job]);
  await drained(queue, 150_000);
  expect(await lengthOf(deadLetters)).toBe(1);
  expect(await effectsOf('Faulty', job.orderId)).toEqual([]);
  await redrive();
  await drained(queue);
  expect(await lengthOf(deadLetters)).toBe(0);
  await expectOneEffect('Faulty', job.orderId);
});

/** As `StartMessageMoveTask` does, which this cloud has not: another message with the same body. */
async function redrive(): Promise<void> {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: deadLetters }));
  for (const { Body, ReceiptHandle } of Messages) {
    await send(queue, [JSON.parse(Body ?? '')]);
    await sqs.send(new DeleteMessageCommand({ QueueUrl: deadLetters, ReceiptHandle }));
  }
}
