import { randomBytes } from 'node:crypto';
import type { Codec, Execution } from 'effectively-once';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Fault, fails, losesAnswer, neverAnswers, refuses } from './faults.ts';
import { type Request, refused, WAYS, type WayOptions } from './ways.ts';
import { LEASE_MS, worldOfTests } from './world.ts';

const world = worldOfTests('a table for each test');
const KB = 1024;

const skewed: Fault = async () => {
  const more = { name: 'InvalidSignatureException', $fault: 'client', $metadata: { httpStatusCode: 400 } };
  throw Object.assign(new Error('Signature expired: 20261126T101112Z is now earlier than 20261126T101212Z'), more);
};
/** What heals. */
const PASSING: readonly (readonly [string, Fault])[] = [
  ['a status of 500', fails],
  ['a throttle', refuses('ThrottlingException')],
  ['a clock that is apart', skewed],
  ['an answer that is lost', losesAnswer],
];
const outage = () => Object.assign(new Error('key service is down'), { name: 'KMSInternalException', statusCode: 503 });

// A run is the same behind every door; a batch answers otherwise.
const DOORS = WAYS.filter(({ name }) => name === 'runOnce' || name === 'idempotentBatch');

describe.each(DOORS)('$name', ({ build, name, saw }) => {
  let request: Request;
  let runs: number;
  beforeEach(() => {
    request = { key: crypto.randomUUID(), payload: 1 };
    runs = 0;
  });
  const way = (handler: (execution: Execution) => unknown, options: Partial<WayOptions> = {}) =>
    build(
      (execution) => {
        runs++;
        return handler(execution);
      },
      { store: world.store(), ...options },
    );
  const lost = (value: unknown) => (name === 'idempotentBatch' ? saw(value) : refused('RESULT_UNAVAILABLE'));

  describe('what heals is tried again', () => {
    const passing = name === 'runOnce' ? PASSING : PASSING.slice(0, 1);
    beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0));

    it.each(passing)('where a claim meets %s', async (_, fault) => {
      world.aws().next('PutItem', fault, fault);
      expect(await way(() => 1)(request)).toEqual(saw(1));
    });

    it.each(passing)('where a completion meets %s', async (_, fault) => {
      world.aws().next('UpdateItem', fault, fault, fault, fault);
      const call = way(() => runs);
      expect([await call(request), await call(request)]).toEqual([saw(1), saw(1)]);
      expect(process.emitWarning).not.toHaveBeenCalled();
    });

    it.each(passing)('where a release meets %s', async (_, fault) => {
      world.aws().next('UpdateItem', fault, fault, fault, fault);
      const call = way(() => (runs === 1 ? Promise.reject(new Error('no')) : runs));
      await call(request);
      expect(await call(request)).toEqual(saw(2));
    });

    it.each(passing)('where the record of a step meets %s', async (_, fault) => {
      let charges = 0;
      const call = way(async ({ step }) => {
        if (runs === 1) world.aws().next('UpdateItem', fault, fault, fault, fault);
        await step('charge', () => ++charges);
        if (runs === 1) throw new Error('passing');
        return charges;
      });
      await call(request);
      expect(await call(request)).toEqual(saw(1));
    });

    it.each(passing)('where a large value meets %s', async (_, fault) => {
      const value = randomBytes(100 * KB);
      const call = way(() => value);
      world.aws().next('PutItem', (apply) => apply(), fault, fault, fault, fault);
      expect([await call(request), await call(request), runs]).toEqual([saw(value), saw(value), 1]);
    });

    it('where a completion, or a step, gets no answer', async () => {
      world.aws().next('UpdateItem', neverAnswers);
      expect(await way(({ step }) => step('charge', () => 1), { timeoutMs: 2_000 })(request)).toEqual(saw(1));
      world.aws().next('UpdateItem', neverAnswers);
      const other = { ...request, key: 'other' };
      expect(await way(() => 2, { timeoutMs: 2_000 })(other)).toEqual(saw(2));
    });

    it('where credentials are not there for a moment', async () => {
      const missing: Fault = async () => {
        throw Object.assign(new Error('connection timed out'), { name: 'CredentialsProviderError' });
      };
      world.aws().next('PutItem', missing);
      world.aws().next('UpdateItem', missing);
      expect(await way(() => 1)(request)).toEqual(saw(1));
      world.aws().next('TransactWriteItems', missing);
      expect(await way(({ commit }) => commit(2, []))({ ...request, key: 'commit' })).toEqual(saw(2));
    });

    it('where a part of a large value meets a throttle, and no other part is written again', async () => {
      const value = randomBytes(1_200 * KB); // four parts
      let puts = 0;
      const counted: Fault = (apply) => {
        puts++;
        return apply();
      };
      const throttle: Fault = async () => {
        puts++;
        return refuses('ThrottlingException')(async () => {});
      };
      world.aws().next('PutItem', (apply) => apply(), counted, throttle, counted, throttle, counted, throttle, counted);
      const call = way(() => value);
      expect([await call(request), puts]).toEqual([saw(value), 7]);
      expect(await call(request)).toEqual(saw(value));
    });

    it('where an asynchronous codec is down', async () => {
      const down = [outage(), outage(), undefined, outage()];
      const codec: Codec = {
        name: 'kms',
        encode: async (value, { id }) => {
          const error = down.shift();
          if (error) throw error;
          return Buffer.from(JSON.stringify([id, value]));
        },
        decode: async (bytes, { id }) => {
          const error = down.shift();
          if (error) throw error;
          const [ofRecord, value] = JSON.parse(String(bytes));
          expect(ofRecord).toBe(id);
          return value;
        },
      };
      const call = way(() => runs, { codec });
      expect([await call(request), await call(request), runs]).toEqual([saw(1), saw(1), 1]);
    });
  });

  describe('what does not heal in time', () => {
    it.each([
      ['as a throttle', refuses('ThrottlingException'), { name: 'ThrottlingException' }],
      ['as a failure', fails, { name: 'InternalServerError' }],
      ['not as a misconfiguration', skewed, { name: 'InvalidSignatureException' }],
    ])('is told %s', async (_, fault, cause) => {
      world.aws().next('PutItem', ...Array.from({ length: 30 }, () => fault));
      const answer = await way(() => 1, { timeoutMs: 1_300 })(request);
      expect(answer).toEqual(refused('STORE_UNAVAILABLE', { cause: expect.objectContaining(cause) }));
      expect(runs).toBe(0);
    });

    it('of a claim that was refused writes nothing more', async () => {
      world.aws().next('PutItem', ...Array.from({ length: 30 }, () => refuses('ThrottlingException')));
      let updates = 0;
      world.aws().next('UpdateItem', (apply) => {
        updates++;
        return apply();
      });
      await way(() => 1, { timeoutMs: 1_300 })(request);
      expect([updates, await world.items()]).toEqual([0, []]);
    });

    it('of a codec loses the value, and says why: its caller has it, and nothing runs again', async () => {
      const encode = async (): Promise<never> => {
        throw outage();
      };
      const codec: Codec = { name: 'kms', encode, decode: (bytes) => bytes };
      const call = way(() => runs, { codec, timeoutMs: 1_300 });
      expect(await call(request)).toEqual(saw(1));
      expect([await call(request), runs]).toEqual([lost(1), 1]);
      const [{ outcome } = {}] = await world.items();
      expect(outcome).toMatchObject({
        M: { kind: { S: 'unavailable' }, body: { S: 'its codec failed: KMSInternalException' } },
      });
    });

    it('of a codec that reads is told as passing; a batch reads nothing', async () => {
      let isDown = false;
      const codec: Codec = {
        name: 'kms',
        encode: (value) => Buffer.from(JSON.stringify(value)),
        decode: async (bytes) => {
          if (isDown) throw outage();
          return JSON.parse(String(bytes));
        },
      };
      const call = way(() => runs, { codec, timeoutMs: 1_300 });
      await call(request);
      isDown = true;
      expect(await call(request)).toEqual(name === 'idempotentBatch' ? saw(1) : refused('STORE_UNAVAILABLE'));
      isDown = false;
      expect(await way(() => runs, { codec })(request)).toEqual(saw(1));
    });

    it('of a step leaves the key to the lease: what it did may not be on record', async () => {
      const call = way(
        async ({ step }) => {
          if (runs === 1)
            world.aws().next('UpdateItem', ...Array.from({ length: 30 }, () => refuses('ThrottlingException')));
          await step('charge', () => runs);
        },
        { timeoutMs: 1_500 },
      );
      expect(await call(request)).toEqual(refused('STORE_UNAVAILABLE'));
      expect(await way(() => 'never')(request)).toEqual(refused('CONFLICT'));
      world.wait(LEASE_MS);
    });

    it('of a commit that was refused leaves nothing in doubt', async () => {
      const throttle = Array.from({ length: 30 }, () => refuses('ThrottlingException'));
      const call = way(
        ({ commit }) => {
          if (runs === 1) world.aws().next('TransactWriteItems', ...throttle);
          return commit(runs, []);
        },
        { timeoutMs: 1_300 },
      );
      expect(await call(request)).toEqual(refused('STORE_UNAVAILABLE'));
      world.aws().clear();
      expect(await way(({ commit }) => commit(runs, []))(request)).toEqual(saw(2));
    });
  });

  it('a commit in doubt is the only one: no other is sent, and what landed is the answer', async () => {
    let isSlow = true;
    // A client with a limit of its own, whose error says nothing of the request.
    world.aws().client.middlewareStack.add(
      (next: any, { commandName = '' }: { commandName?: string }) =>
        async (args: any) => {
          const sent = next(args);
          if (!commandName.startsWith('TransactWrite') || !isSlow) return sent;
          isSlow = false;
          await sent;
          throw new Error('timed out');
        },
      { step: 'initialize' },
    );
    world.aws().next('TransactWriteItems', (apply) => apply(), refuses('AccessDeniedException'));
    const call = way(async ({ commit }) => {
      await commit('by card', []).catch(() => {});
      await expect(commit('by invoice', [])).rejects.toMatchObject({ code: 'MISUSE' });
      return 'by invoice';
    });
    expect(await call(request)).toEqual(refused('STORE_UNAVAILABLE'));
    expect(await call(request)).toEqual(saw('by card'));
  });

  it('a damaged record is refused as a misconfiguration that names it, and nothing runs', async () => {
    const call = way(() => runs);
    world.aws().next('PutItem', async (apply) => {
      await apply();
      throw Object.assign(new Error('refused'), {
        name: 'ConditionalCheckFailedException',
        $metadata: { httpStatusCode: 400 },
        Item: { id: { S: 'damaged' }, format: { N: '1' }, status: { S: 'DONE' } },
      });
    });
    expect(await call(request)).toEqual(
      refused('CONFIG_INVALID', { id: 'damaged', message: expect.stringContaining('"damaged"') }),
    );
    expect(runs).toBe(0);
    expect(vi.mocked(process.emitWarning)).not.toHaveBeenCalled();
  });
});
