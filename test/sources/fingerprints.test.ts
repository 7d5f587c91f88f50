import { idempotent, idempotentBatch, memoryStore } from 'effectively-once';
import { expect, it } from 'vitest';
import { httpEvent } from '../events.ts';
import { instead } from '../stores/writes.ts';
import { lambdaContext, sqsRecord } from '../ways.ts';

// A new one would refuse every retry that comes across a deploy.
it('the fingerprint of an event does not change from version to version', async () => {
  const fingerprints: (string | undefined)[] = [];
  const store = instead(memoryStore(), 'insert', ({ next }, send) => {
    fingerprints.push(next.fingerprint);
    return send();
  });
  const options = { store, scope: 'test' };
  const handler = idempotent(async (_: object) => {}, options);
  await handler(httpEvent({ key: '1', body: { b: 1, a: 'é' } }), lambdaContext());
  await handler(httpEvent({ key: '2' }), lambdaContext());
  const text = { headers: { 'idempotency-key': '3', 'content-type': 'text/plain' }, body: '{"b":1}' };
  await handler(httpEvent({ event: text }), lambdaContext());
  await handler({ id: '4', source: 's', 'detail-type': 't', detail: { b: 1 } }, lambdaContext());
  const batch = idempotentBatch(async () => {}, options);
  await batch({ Records: [sqsRecord('{ "b": 1 }'), sqsRecord('no json')] }, lambdaContext());
  expect(fingerprints).toEqual([
    'Np86__mRiE9jONjGzkhUPawBV9ZxeiSygru1GIay-c8',
    '5VydF1XwFy1YE2iAwVVyH1qP_1fQeve6QXKMdlkFVqY',
    'ra_zw6rSKlHcS0uFwNSa935MomJ02ydMqptGiwH9Y10',
    'MRmvuGMiZrn30uN8JY0exDZ2NL99dGfJXJw7D9pL9Gk',
    'WsQZ3RWCkt42TK4bgzDb8FZkYmxNOYi4D96Mv5pGrdk',
    'qHbVLLa3T3Q7KrU4d6SYsEySOyuL_g5HymB8M5r-J0Q',
  ]);
});
