import { createHash } from 'node:crypto';
import { idempotent, idempotentBatch, memoryStore, runOnce, type Store } from 'effectively-once';
import * as testing from 'effectively-once/testing';
import { describe, expect, it, vi } from 'vitest';
import { canonicalJson } from '../../src/core/canonical.ts';
import { httpEvent } from '../events.ts';
import { instead } from '../stores/writes.ts';
import { lambdaContext, sqsRecord } from '../ways.ts';
import { type Delivery, EVENTS, MESSAGES } from './deliveries.ts';

const message = (body: string, messageId: string) => ({ Records: [sqsRecord(body, { messageId })] });
const ofForm = EVENTS.find(({ name }) => name === 'a form with a file') as Delivery;
const text = { headers: { 'idempotency-key': 'k', 'content-type': 'text/plain' }, body: '{"b":1}' };
const ofEvent = (store: Store, options = {}) => {
  const handler = idempotent(async (_: object) => {}, { store, scope: 'test', ...options });
  return (event: any) => handler(event, lambdaContext());
};
const ofQueue = (store: Store, options = {}) => {
  const handler = idempotentBatch(async () => {}, { store, scope: 'test', ...options });
  return async (event: any) => {
    const { batchItemFailures } = await handler(event, lambdaContext());
    if (batchItemFailures.length > 0) throw new Error('failed');
  };
};

/** What each version made of them. A new version must not change an old one: it would refuse every retry that comes across a deploy. */
const KNOWN: [name: string, build: typeof ofEvent, event: any, other: any, versions: [string, string]][] = [
  [
    'JSON over HTTP',
    ofEvent,
    httpEvent({ key: 'k', body: { b: 1, a: 'é' } }),
    httpEvent({ key: 'k', body: { b: 2 } }),
    ['Np86__mRiE9jONjGzkhUPawBV9ZxeiSygru1GIay-c8', '2:MZ8lc5ggvYXwKoHzYE58_xxV7PeefQsP__oHvmSsJ-4'],
  ],
  [
    'no body over HTTP',
    ofEvent,
    httpEvent({ key: 'k' }),
    httpEvent({ key: 'k', body: null }),
    ['5VydF1XwFy1YE2iAwVVyH1qP_1fQeve6QXKMdlkFVqY', '2:cgdc-ogzmD9MWGNJQ2AxCm5FHG4z3WePPAN-qH3o7sk'],
  ],
  [
    'a text over HTTP',
    ofEvent,
    httpEvent({ event: text }),
    httpEvent({ event: { ...text, body: '{"b": 1}' } }),
    ['ra_zw6rSKlHcS0uFwNSa935MomJ02ydMqptGiwH9Y10', '2:MpQZj3GTe5rOFwSpnhZoI3oNnekMYzIY1glFphzJiKM'],
  ],
  [
    'an event of EventBridge',
    ofEvent,
    { id: '4', source: 's', 'detail-type': 't', detail: { b: 1 } },
    { id: '4', source: 's', 'detail-type': 't', detail: { b: 2 } },
    ['MRmvuGMiZrn30uN8JY0exDZ2NL99dGfJXJw7D9pL9Gk', '2:WyRGhv2X1UN7TAVGcQBXys_EMgm-nQL2ADqzvMVed5I'],
  ],
  [
    'JSON in a queue',
    ofQueue,
    message('{ "b": 1 }', 'm'),
    message('{ "b": 2 }', 'm'),
    ['WsQZ3RWCkt42TK4bgzDb8FZkYmxNOYi4D96Mv5pGrdk', '2:MhooDTNXZxbJa2Uxr1_heJS9XIKgH5SK-Qx2x3Sd2jU'],
  ],
  [
    'a text in a queue',
    ofQueue,
    message('no json', 'm'),
    message('nor json', 'm'),
    ['qHbVLLa3T3Q7KrU4d6SYsEySOyuL_g5HymB8M5r-J0Q', '2:fA2901UU3IxVYxDmVwWaXbfBgvmAGpPfDUFIR1FwSes'],
  ],
];

describe.each(KNOWN)('%s', (_, build, event, other, [former, current]) => {
  it('has the fingerprint that it had', async () => {
    const fingerprints: (string | undefined)[] = [];
    const store = instead(memoryStore(), 'insert', ({ next }, send) => {
      fingerprints.push(next.fingerprint);
      return send();
    });
    await build(store)(event);
    expect(fingerprints).toEqual([current]);
  });

  it('is known by a record of version 1, and another is refused', () => isKnownBy(former, build, event, other));
});

/** What version 1 took of the events that it did not know, and identified by their key alone: all of them. */
const whole = (event: unknown): string => createHash('sha256').update(canonicalJson(event)).digest('base64url');
const AS_PLAIN = ['sns', 's3', 'sqs', 'kinesis', 'dynamodb-stream', 'kafka'];

describe('a record of version 1', () => {
  it.each(EVENTS.filter(({ source }) => AS_PLAIN.includes(source)))('knows $name', ({ first, other, options }) =>
    isKnownBy(whole(first), (store) => ofEvent(store, options), first, other),
  );

  it.each(MESSAGES)('knows $name in a queue', ({ first, other }) => {
    const { body } = first.Records[0];
    return isKnownBy(
      whole(canonicalJson(JSON.parse(body))),
      (store) => ofQueue(store, { key: () => 'k' }),
      first,
      other,
    );
  });

  it('knows a form by its bytes, the boundaries among them', async () => {
    const { first, again, other } = ofForm;
    const former = whole(['POST', '/orders', '', 'bytes', first.body]);
    await isKnownBy(former, ofEvent, first, other);
    await isKnownBy(former, ofEvent, first, again); // of which it knew no better
  });

  it('knows what the option `fingerprint` gives, and the payload of runOnce', async () => {
    const options = { key: () => 'k', fingerprint: ({ b }: any) => b };
    await isKnownBy(whole(1), (store) => ofEvent(store, options), { b: 1, a: 2 }, { b: 2 });
    const build = (store: Store) => (payload: unknown) =>
      runOnce({ store, scope: 's', key: 'k', lease: '1s', payload }, () => {});
    await isKnownBy(whole({ b: 1 }), build, { b: 1 }, { b: 2 });
  });

  it('knows what the option `fingerprint` gives of an event whose payload was another', () => {
    const { first, other } = EVENTS.find(({ source }) => source === 'sns') as Delivery;
    const fingerprint = (event: any) => event.Records[0].Sns.Message;
    return isKnownBy(whole(fingerprint(first)), (store) => ofEvent(store, { fingerprint }), first, other);
  });

  it('knows nothing where it took nothing that has a canonical form', async () => {
    const { first, other } = EVENTS.find(({ source }) => source === 'sns') as Delivery;
    const spoilt = structuredClone(first);
    spoilt.Records[0].EventSubscriptionArn = '\ud800';
    await expect(isKnownBy('of something else', ofEvent, spoilt, other)).rejects.toThrow("expected 'refused'");
  });

  it('knows it in mode atomic, though the handler changes its event', async () => {
    const { first, other } = EVENTS.find(({ source }) => source === 'sns') as Delivery;
    const inner = testing.memoryStore();
    const store: Store = {
      ...inner,
      transact: (write, writes) => {
        const isFirst = write.kind === 'insert' && inner.records().length === 0;
        const next = isFirst ? { ...write.next, fingerprint: whole(first) } : undefined;
        return inner.transact(next ? { kind: 'insert', next } : write, writes);
      },
    };
    let runs = 0;
    const handler = idempotent(
      async (event: any, { idempotency }) => {
        delete event.Records;
        await idempotency.commit(++runs, []);
      },
      { store, scope: 'test', mode: 'atomic' },
    );
    const send = (event: object) => handler(structuredClone(event), lambdaContext());
    expect([await send(first), await send(first)]).toEqual([1, 1]);
    await expect(send(other)).rejects.toMatchObject({ code: 'MISMATCH' });
  });
});

it('one payload has another fingerprint in every record, so that no table of guesses serves for two', async () => {
  const fingerprints = new Set<string | undefined>();
  const store = instead(memoryStore(), 'insert', ({ next }, send) => {
    fingerprints.add(next.fingerprint);
    return send();
  });
  for (const [scope, key] of [
    ['a', 'k'],
    ['b', 'k'],
    ['a', 'l'],
  ] as const)
    await runOnce({ store, scope, key, payload: { pin: 1234 }, lease: '1s' }, () => {});
  expect(fingerprints.size).toBe(3);
});

async function isKnownBy(
  former: string,
  build: (store: Store) => (event: any) => Promise<unknown>,
  event: unknown,
  other: unknown,
): Promise<void> {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const inner = memoryStore();
  const store = instead(inner, 'insert', ({ next }) =>
    inner.write({ kind: 'insert', next: { ...next, fingerprint: former } }),
  );
  const send = build(store);
  const said = async (sent: unknown): Promise<unknown> =>
    send(structuredClone(sent)).then(
      (answer: any) => answer?.statusCode ?? 'done',
      () => 'refused',
    );
  expect(await said(event)).toBe('done');
  expect(await said(event)).toBe('done');
  expect(['refused', 422]).toContain(await said(other));
  vi.restoreAllMocks();
}
