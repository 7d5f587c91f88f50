import { inspect } from 'node:util';
import middy from '@middy/core';
import httpErrorHandler from '@middy/http-error-handler';
import type { APIGatewayProxyEventV2, APIGatewayProxyResultV2 } from 'aws-lambda';
import {
  type HandlerOptions,
  IdempotencyError,
  type IdempotencyErrorCode,
  idempotent,
  idempotentBatch,
  isIdempotencyError,
  type Outcome,
  runOnce,
  type Store,
} from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { resolve } from 'effectively-once/operator';
import { faulty, memoryStore } from 'effectively-once/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { httpEvent } from './events.ts';
import { EVENTS } from './sources/deliveries.ts';
import { lambdaContext, sqsRecord } from './ways.ts';

let store: ReturnType<typeof faulty<ReturnType<typeof memoryStore>>>;
let logged: string[];
beforeEach(() => {
  store = faulty(memoryStore());
  logged = [];
  vi.spyOn(console, 'error').mockImplementation(
    (...args) => void logged.push(args.map((arg) => inspect(arg)).join(' ')),
  );
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A handler, and a way to leave its first run in flight, or lost. */
const operation = (event: any, options: Partial<HandlerOptions<any>> = {}) => {
  let enter: (() => void) | undefined;
  const run = async () => {
    if (!enter) return { statusCode: 201, body: 'done' };
    enter();
    return new Promise(() => {});
  };
  const handler = idempotent(run, { store, scope: 'test', ...options });
  const send = async (sent: any = event): Promise<any> =>
    handler(structuredClone(sent), lambdaContext()).catch((error) => error);
  const begin = async (): Promise<void> => {
    const entered = new Promise<void>((resolve) => {
      enter = resolve;
    });
    void send();
    await entered;
    enter = undefined;
  };
  return { send, begin };
};

const problemIn = ({ body }: { body: string }) => JSON.parse(body);

describe('every error', () => {
  const NAMES: Record<IdempotencyErrorCode, string> = {
    KEY_MISSING: 'IdempotencyKeyMissing',
    KEY_INVALID: 'IdempotencyKeyInvalid',
    PAYLOAD_INVALID: 'IdempotencyPayloadInvalid',
    CONFLICT: 'IdempotencyConflict',
    MISMATCH: 'IdempotencyMismatch',
    OUTCOME_UNKNOWN: 'IdempotencyOutcomeUnknown',
    LEASE_LOST: 'IdempotencyLeaseLost',
    RESULT_UNAVAILABLE: 'IdempotencyResultUnavailable',
    STORE_UNAVAILABLE: 'IdempotencyStoreUnavailable',
    CONFIG_INVALID: 'IdempotencyConfigInvalid',
    MISUSE: 'IdempotencyMisuse',
  };
  const codes = Object.entries(NAMES) as [IdempotencyErrorCode, string][];

  it.each(codes)('%s is named %s, so that a state machine can retry one and catch another', (code, name) => {
    const error = new IdempotencyError(code, 'why');
    expect(error).toMatchObject({ name, code });
    expect([String(error), isIdempotencyError(error), error instanceof IdempotencyError]).toEqual([
      `${name}: why`,
      true,
      true,
    ]);
  });

  it.each(codes)('%s shows in a log where it was thrown only if it is a fault of ours or yours', (code, name) => {
    const error = new IdempotencyError(code, 'why', { id: 'scope#1', cause: new TypeError('no text') });
    const isFault = error.statusCode >= 500;
    expect(error.stack?.includes('\n')).toBe(isFault);
    if (isFault) expect(inspect(error)).toMatch(/ {4}at [\s\S]*code: '/);
    else expect(inspect(error)).toBe(`${name}: why, because of TypeError: no text [scope#1]`);
    expect(error.cause).toBeInstanceOf(TypeError);
  });

  it('is one line, whatever its sender wrote', () => {
    const cause = new SyntaxError(`Unexpected token in "x\r\nERROR fake ${'y'.repeat(1_000)}"`);
    const line = inspect(new IdempotencyError('KEY_INVALID', 'why', { cause }));
    expect(line).toMatch(/^IdempotencyKeyInvalid: why, because of SyntaxError: Unexpected token in "x ERROR fake y+$/);
    expect(line.length).toBeLessThan(300);
  });

  it('has in a log what it has', () => {
    expect(inspect(new IdempotencyError('CONFLICT', 'why'))).toBe('IdempotencyConflict: why');
  });
});

describe('a refusal says what to do in the words of its source', () => {
  it.each<[string, string, string]>([
    [
      'a REST API with a Cognito',
      'with another method, path, query or body',
      'send the request again after the seconds that Retry-After says',
    ],
    [
      'VPC Lattice, version 2',
      'with another method, path, query or body',
      'send the request again after the seconds that Retry-After says',
    ],
    ['a WebSocket API', 'with another body', 'send the message again'],
    ['AppSync, with a header', 'with other arguments', 'send the mutation again'],
    ['EventBridge', 'with another source, detail type or detail', 'EventBridge delivers the event again'],
    ['SNS', 'with another message', 'SNS delivers the message again'],
    ['S3', 'with another object, or another content of it', 'Lambda invokes the function again'],
    ['Scheduler', 'with another payload, as the option `fingerprint`', 'try again after `retryAfterMs`'],
    ['a queue, taken as one', 'with other records', 'Lambda delivers the batch again'],
  ])('%s', async (title, mismatch, conflict) => {
    const { first, other, options = {} } = EVENTS.find(({ name }) => name.startsWith(title)) as (typeof EVENTS)[number];
    const messageOf = (answer: any): string => answer.message ?? problemIn(answer).detail;
    const { send, begin } = operation(first, options);
    await begin();
    expect(messageOf(await send())).toMatch(`a run with this key is in flight: ${conflict}`);
    expect(messageOf(await send(other))).toContain(`this key was used ${mismatch}`);
    const long = operation(first, { ...options, key: () => 'x'.repeat(256) });
    expect(messageOf(await long.send())).toBe('the option `key` is longer than 255 characters');
  });

  it('an SQS message', async () => {
    const handler = idempotentBatch(async () => new Promise(() => {}), { store, scope: 'test' });
    const deliver = (body: string) => handler({ Records: [sqsRecord(body, { messageId: 'm' })] }, lambdaContext());
    void deliver('1');
    await vi.waitFor(() => expect(store.records()).toHaveLength(1));
    await deliver('1');
    await deliver('2');
    expect(logged).toEqual([
      expect.stringMatching(/IdempotencyConflict: .*the message comes back when its visibility timeout is over/),
      expect.stringMatching(/IdempotencyMismatch: this key was used with another body/),
    ]);
    expect(logged.join()).not.toContain('    at ');
  });

  it('a call of runOnce', async () => {
    const call = (payload: unknown, key?: string) =>
      runOnce({ store, scope: 's', key, payload, lease: '1s' }, () => 1).catch(({ message }) => message);
    expect(await call(1)).toBe('no idempotency key: give the option `key`');
    await call(1, 'k');
    expect(await call(2, 'k')).toBe('this key was used with another payload, the option `payload`');
  });

  it('the option `key`, where it gave none', async () => {
    expect((await operation({}, { key: () => undefined }).send()).message).toBe(
      'no idempotency key: the option `key` gives none for this event',
    );
  });

  it('a payload that has no canonical form: it is the fault of its sender', async () => {
    const fingerprint = ({ body = '' }: APIGatewayProxyEventV2): unknown => JSON.parse(body);
    for (const body of ['{', '{"a":1e999}', '"\\ud800"']) {
      const { send } = operation({ ...httpEvent({ key: 'k' }), body }, { fingerprint });
      expect(problemIn(await send())).toMatchObject({
        code: 'PAYLOAD_INVALID',
        status: 400,
        type: 'urn:effectively-once:payload-invalid',
      });
    }
  });
});

describe('a problem names its record', () => {
  const event = httpEvent({ key: 'k', body: { amount: 5 } });
  const instance = (): string => `urn:effectively-once:record:${encodeURIComponent(store.records()[0]?.id ?? '')}`;

  it('of a conflict, a mismatch, an unknown outcome, which an operator then decides by it', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { send, begin } = operation(event, { onUnknown: 'refuse', scope: 'käse 1' });
    await begin();
    expect(instance()).toMatch(/^urn:effectively-once:record:k%C3%A4se%201%23[\w-]{43}$/);
    expect(problemIn(await send())).toMatchObject({ code: 'CONFLICT', instance: instance() });
    expect(problemIn(await send({ ...event, body: '{}' }))).toMatchObject({ code: 'MISMATCH', instance: instance() });
    vi.setSystemTime(Date.now() + 12_000);
    const unknown = problemIn(await send());
    expect(unknown).toMatchObject({ code: 'OUTCOME_UNKNOWN', instance: instance() });
    await resolve(store, unknown.instance, { value: { statusCode: 202, body: 'found' } });
    expect(await send()).toMatchObject({ statusCode: 202, body: 'found' });
  });

  it('of a value that could not be kept, and of a store that is down', async () => {
    const handler = idempotent(async () => () => {}, { store, scope: 'test' });
    await handler(event, lambdaContext());
    expect(problemIn((await handler(event, lambdaContext())) as never)).toMatchObject({
      code: 'RESULT_UNAVAILABLE',
      status: 410,
      instance: instance(),
    });
    const down = { ...store, write: () => Promise.reject(new Error('down')) };
    const load = () => Promise.reject(new IdempotencyError('STORE_UNAVAILABLE', 'down'));
    const apart: Store = {
      ...store,
      keep: async (outcome) => ({ ...outcome, stored: { at: 'elsewhere' } }) as Outcome,
    };
    await idempotent(async () => 1, { store: apart, scope: 'test', key: () => 'kept' })(event, lambdaContext());
    for (const options of [{ store: down }, { store: { ...store, load }, key: () => 'kept' }]) {
      const { code, status, instance: named } = problemIn(await operation(event, options).send());
      expect({ code, status }).toEqual({ code: 'STORE_UNAVAILABLE', status: 503 });
      expect(store.records().map(({ id }) => `urn:effectively-once:record:${encodeURIComponent(id)}`)).toContain(named);
    }
  });

  it('of a commit of which nobody knows whether it landed', async () => {
    for (const mode of ['claim', 'atomic'] as const) {
      store.next('transact', 'loseAnswer');
      const handler = idempotent(
        async (_: unknown, { idempotency }) => idempotency.commit(1, []).catch(() => 'unsure'),
        {
          store,
          scope: mode,
          mode,
        },
      );
      const { code, instance } = problemIn((await handler(event, lambdaContext())) as never);
      expect({ code, instance }).toEqual({
        code: 'STORE_UNAVAILABLE',
        instance: expect.stringMatching(new RegExp(`^urn:effectively-once:record:${mode}%23`)),
      });
    }
  });

  it('but not of a request that has none, nor where it is ours to look into', async () => {
    expect(problemIn(await operation(httpEvent({})).send())).not.toHaveProperty('instance');
    const denied = { ...store, write: () => Promise.reject(new IdempotencyError('CONFIG_INVALID', 'denied')) };
    expect(problemIn(await operation(event, { store: denied }).send())).not.toHaveProperty('instance');
  });
});

describe('a refused duplicate is no stack trace in the log', () => {
  const chain = (key?: (event: APIGatewayProxyEventV2) => string) =>
    middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>()
      .use(idempotency({ store, scope: 'test', ...(key && { key }) }))
      .use(httpErrorHandler({ logger: (error) => console.error(error) })) // its default, which has no spy in it
      .handler(async () => ({ statusCode: 201 }));

  it.each<
    [number, Partial<APIGatewayProxyEventV2> | undefined, ((event: APIGatewayProxyEventV2) => string) | undefined]
  >([
    [422, { body: '{}' }, undefined],
    [400, { headers: {} }, undefined],
    [400, { body: '{' }, ({ body }) => JSON.parse(body ?? '').id],
  ])('a %i, also under http-error-handler', async (status, over, key) => {
    const event = httpEvent({ key: 'k', body: { amount: 5 } });
    await chain()(event, lambdaContext());
    expect(await chain(key)({ ...event, ...over }, lambdaContext())).toMatchObject({ statusCode: status });
    expect(logged.length).toBeGreaterThan(0);
    for (const line of logged) expect(line).not.toContain('\n');
  });
});
