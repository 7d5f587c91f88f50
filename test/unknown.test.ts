import type { Execution, Store } from 'effectively-once';
import { resolve } from 'effectively-once/operator';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { isDown, losesAnswer, neverAnswers } from './faults.ts';
import { type Request, refused, type Seen, WAYS, type WayOptions } from './ways.ts';
import { LEASE_MS, worldOfTests } from './world.ts';

const YEAR_MS = 365 * 86_400_000;

const world = worldOfTests('one table');

describe.each(WAYS)('an unknown outcome in $name', ({ build, saw }) => {
  let store: Store;
  let request: Request;
  let runs: number[];
  beforeEach(() => {
    store = world.store();
    request = { key: crypto.randomUUID(), payload: 1 };
    runs = [];
  });

  /** A handler whose first run dies in the middle, and the key after its lease. */
  const lost = async (options: Partial<WayOptions>, first?: (execution: Execution) => unknown) => {
    const died = Promise.withResolvers<void>();
    const call = build(
      async (execution) => {
        runs.push(execution.attempt);
        if (execution.attempt > 1) return `run ${execution.attempt}`;
        await first?.(execution);
        died.resolve();
        return new Promise(() => {});
      },
      { store, ...options },
    );
    call(request);
    await died.promise;
    world.wait(LEASE_MS);
    return call;
  };
  const idOf = async (call: (request: Request) => Promise<Seen>): Promise<string> => {
    const { error } = (await call(request)) as { error: { id: string } };
    return error.id;
  };

  describe("with onUnknown: 'refuse'", () => {
    const refuse = { onUnknown: 'refuse' } as const;

    it('is refused, however old it grows', async () => {
      const call = await lost(refuse);
      expect(await call(request)).toEqual(refused('OUTCOME_UNKNOWN', { retryable: false, statusCode: 409 }));
      world.wait(YEAR_MS);
      expect(await call(request)).toEqual(refused('OUTCOME_UNKNOWN'));
      expect(runs).toEqual([1]);
    });

    it('is refused for another payload as a mismatch', async () => {
      const call = await lost(refuse);
      expect(await call({ ...request, payload: 2 })).toEqual(refused('MISMATCH'));
    });

    it('is what an operator says it is', async () => {
      const call = await lost(refuse);
      await resolve(store, await idOf(call), { value: 'charged' });
      expect(await call(request)).toEqual(saw('charged'));
      expect(runs).toEqual([1]);
    });

    it('runs again when an operator says so, and then expires like any other', async () => {
      const call = await lost(refuse);
      await resolve(store, await idOf(call), { rerun: true });
      expect(await call(request)).toEqual(saw('run 2'));
      expect(await call(request)).toEqual(saw('run 2'));
      world.wait(2 * 86_400_000);
      expect(await call(request)).toEqual(saw('run 3'));
    });

    it('is kept as long as the function said, when an operator has decided', async () => {
      const call = await lost({ ...refuse, retention: '30d' });
      await resolve(store, await idOf(call), { value: 'charged' });
      world.wait(29 * 86_400_000);
      expect(await call(request)).toEqual(saw('charged'));
      world.wait(2 * 86_400_000);
      expect(await call(request)).toEqual(saw('run 2'));
    });

    it('takes the word of an operator once', async () => {
      const call = await lost(refuse);
      const id = await idOf(call);
      const words = [resolve(store, id, { value: 'a' }), resolve(store, id, { value: 'b' })];
      const settled = await Promise.allSettled(words);
      expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      await expect(resolve(store, id, { rerun: true })).rejects.toMatchObject({ code: 'MISUSE' });
    });

    it('cannot be resolved by a value that cannot be kept', async () => {
      const call = await lost({ onUnknown: 'refuse' });
      const id = await idOf(call);
      await expect(resolve(store, id, { value: () => 1 })).rejects.toMatchObject({ code: 'MISUSE' });
      await resolve(store, id, { value: 'charged' });
      expect(await call(request)).toEqual(saw('charged'));
    });

    it('takes the word of an operator also where the answer to it was lost', async () => {
      const call = await lost(refuse);
      const id = await idOf(call);
      world.aws().next('PutItem', (apply) => apply(), losesAnswer);
      await resolve(store, id, { value: 'charged' });
      expect(await call(request)).toEqual(saw('charged'));
    });

    it('is adopted by the lost run, should it come back', async () => {
      const gate = Promise.withResolvers<void>();
      const entered = Promise.withResolvers<void>();
      const call = build(
        async () => {
          entered.resolve();
          await gate.promise;
          return 'late';
        },
        { store, ...refuse },
      );
      const late = call(request);
      await entered.promise;
      world.wait(LEASE_MS);
      await resolve(store, await idOf(call), { value: 'charged' });
      gate.resolve();
      expect(await late).toEqual(saw('charged'));
    });

    it('is none while the lease lives, nor where the run failed or succeeded', async () => {
      const gate = Promise.withResolvers<void>();
      const entered = Promise.withResolvers<void>();
      let fails = true;
      const call = build(
        async () => {
          entered.resolve();
          await gate.promise;
          if (fails) throw new Error('no');
          return 'done';
        },
        { store, ...refuse },
      );
      const first = call(request);
      await entered.promise;
      const { error } = (await call(request)) as { error: { id: string; code: string } };
      expect(error.code).toBe('CONFLICT');
      await expect(resolve(store, error.id, { value: 1 })).rejects.toMatchObject({ code: 'MISUSE' });
      gate.resolve();
      await first;
      await expect(resolve(store, error.id, { value: 1 })).rejects.toMatchObject({ code: 'MISUSE' });
      fails = false;
      expect(await call(request)).toEqual(saw('done'));
      await expect(resolve(store, error.id, { value: 1 })).rejects.toMatchObject({ code: 'MISUSE' });
      await expect(resolve(store, 'never#was', { value: 1 })).rejects.toMatchObject({ code: 'MISUSE' });
    });

    it.each([undefined, null, {}, { rerun: false }, 'rerun'])('is not resolved by %o', async (word) => {
      const call = await lost(refuse);
      await expect(resolve(store, await idOf(call), word as any)).rejects.toMatchObject({ code: 'MISUSE' });
      expect(await call(request)).toEqual(refused('OUTCOME_UNKNOWN'));
    });

    it('is where a completion ends that could not be written', async () => {
      world.aws().next('UpdateItem', ...isDown);
      const call = build(() => 'effect', { store, ...refuse });
      expect(await call(request)).toEqual(saw('effect'));
      world.wait(LEASE_MS);
      expect(await call(request)).toEqual(refused('OUTCOME_UNKNOWN'));
    });
  });

  describe('with a function that finds out', () => {
    it('is recorded as what it found', async () => {
      const seen: unknown[] = [];
      const call = await lost(
        {
          onUnknown: ({ attempt, key }, previous) => {
            seen.push({ attempt, key, previous });
            return { value: 'found' };
          },
        },
        async ({ step }) => {
          await step('charge', () => ({ chargeId: 7 }));
          await step('big', () => Symbol.for('big'));
        },
      );
      expect(await call(request)).toEqual(saw('found'));
      expect(await call(request)).toEqual(saw('found'));
      expect(runs).toEqual([1]);
      const previous = {
        attempt: 1,
        claimedAt: expect.any(Number),
        leaseUntil: expect.any(Number),
        steps: { charge: { value: { chargeId: 7 } }, big: { unavailable: true } },
      };
      expect(seen).toEqual([{ attempt: 2, key: request.key, previous }]);
    });

    it('runs again when it says so, behind the steps that are on record', async () => {
      let charges = 0;
      const charge = () => ++charges;
      const call = await lost({ onUnknown: () => ({ rerun: true }) }, ({ step }) => step('charge', charge));
      expect(await call(request)).toEqual(saw('run 2'));
      expect([runs, charges]).toEqual([[1, 2], 1]);
    });

    it('stays unknown when it throws: the next request asks again, at once', async () => {
      let asked = 0;
      const call = await lost({
        onUnknown: () => {
          if (++asked === 1) throw new Error('nobody answers');
          return { value: 'found' };
        },
      });
      expect(await call(request)).toEqual({ error: expect.objectContaining({ message: 'nobody answers' }) });
      expect(await call(request)).toEqual(saw('found'));
      expect([asked, runs]).toEqual([2, [1]]);
    });

    it('stays unknown when it dies: a request after the lease asks again', async () => {
      let asked = 0;
      const hanging = Promise.withResolvers<void>();
      const call = await lost({
        onUnknown: async () => {
          if (++asked > 1) return { value: 'found' };
          hanging.resolve();
          return new Promise<never>(() => {});
        },
      });
      call(request);
      await hanging.promise;
      expect(await call(request)).toEqual(refused('CONFLICT'));
      world.wait(YEAR_MS);
      expect(await call(request)).toEqual(saw('found'));
    });

    it('stays unknown when it returns neither', async () => {
      const call = await lost({ onUnknown: (() => ({})) as any });
      expect(await call(request)).toEqual(refused('MISUSE'));
      expect(await call(request)).toEqual(refused('MISUSE'));
      expect(runs).toEqual([1]);
    });

    it('keeps the lease until its steps have ended, when it throws', async () => {
      const slow = Promise.withResolvers<void>();
      let refunds = 0;
      let asked = 0;
      const call = await lost({
        onUnknown: async ({ step }) => {
          if (++asked > 1) return { value: 'found' };
          step('refund', async () => {
            refunds++;
            await slow.promise;
          });
          throw new Error('lookup');
        },
      });
      const first = call(request);
      await vi.waitFor(() => expect(refunds).toBe(1));
      expect(await call(request)).toEqual(refused('CONFLICT'));
      slow.resolve();
      expect(await first).toMatchObject({ error: { message: 'lookup' } });
      expect(await call(request)).toEqual(saw('found'));
      expect(refunds).toBe(1);
    });

    it('is final when it commits', async () => {
      const call = await lost({
        onUnknown: async ({ commit }) => {
          await commit('committed', []);
          return { rerun: true };
        },
      });
      expect([await call(request), await call(request)]).toEqual([saw('committed'), saw('committed')]);
      expect(runs).toEqual([1]);
    });

    it('is asked also where the answer to the takeover was lost', async () => {
      const call = await lost({ onUnknown: () => ({ value: 'found' }) });
      world.aws().next('PutItem', (apply) => apply(), losesAnswer);
      expect(await call(request)).toEqual(saw('found'));
    });

    it('is asked again where the answer to the takeover never came', async () => {
      const call = await lost({ timeoutMs: 4_000, onUnknown: () => ({ value: 'found' }) });
      world.aws().next('PutItem', (apply) => apply(), neverAnswers);
      expect(await call(request)).toEqual(refused('STORE_UNAVAILABLE'));
      expect(await call(request)).toEqual(saw('found'));
    });

    it('is not asked where a run failed and said so', async () => {
      let fails = true;
      const onUnknown = vi.fn(() => ({ value: 'found' }));
      const call = build(
        () => {
          if (fails) throw new Error('no');
          return 'done';
        },
        { store, onUnknown },
      );
      await call(request);
      fails = false;
      expect(await call(request)).toEqual(saw('done'));
      expect(onUnknown).not.toHaveBeenCalled();
    });
  });
});
