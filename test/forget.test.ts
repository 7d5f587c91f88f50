import { type Execution, idempotent, memoryStore, TerminalError } from 'effectively-once';
import { beforeEach, describe, expect, it } from 'vitest';
import { httpEvent } from './events.ts';
import { fails, refuses } from './faults.ts';
import { lambdaContext, type Request, refused, WAYS, type WayOptions } from './ways.ts';
import { LEASE_MS, worldOfTests } from './world.ts';

const world = worldOfTests('a table for each test');
const crash = () => new Promise<never>(() => {});

describe.each(WAYS)('forget in $name', ({ build, saw }) => {
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
  const invalid = ({ forget }: Execution) => {
    forget();
    return 'invalid';
  };

  it('answers with the value, and frees the key for any payload; the record stays', async () => {
    expect(await way(invalid)(request)).toEqual(saw('invalid'));
    const [record] = await world.items();
    expect(record).toMatchObject({ status: { S: 'IN_PROGRESS' } });
    for (const gone of ['owner', 'fingerprint', 'leaseUntil']) expect(record).not.toHaveProperty(gone);
    expect(await way(() => 'valid')({ ...request, payload: 2 })).toEqual(saw('valid'));
    expect(runs).toBe(2);
  });

  it('lets the same payload run again', async () => {
    const call = way(invalid);
    expect([await call(request), await call(request), runs]).toEqual([saw('invalid'), saw('invalid'), 2]);
  });

  it.each([new Error('invalid'), new TerminalError('invalid')])('records no error either: %s', async (error) => {
    const call = way(({ forget }) => {
      forget();
      throw error;
    });
    expect(await call(request)).toEqual({ error });
    expect(await way(() => 'valid')({ ...request, payload: 2 })).toEqual(saw('valid'));
  });

  it('leaves no step and no commit possible', async () => {
    const call = way(async ({ forget, step, commit }) => {
      forget();
      await expect(step('charge', () => runs++)).rejects.toMatchObject({ code: 'MISUSE' });
      await expect(commit(1, [])).rejects.toMatchObject({ code: 'MISUSE' });
      return 'invalid';
    });
    expect(await call(request)).toEqual(saw('invalid'));
    expect(runs).toBe(1);
  });

  it('is not too late when one was refused before it began', async () => {
    const call = way(async ({ forget, step }) => {
      await expect(step('', () => runs++)).rejects.toMatchObject({ code: 'MISUSE' });
      forget();
      await expect(step('late', () => runs++)).rejects.toMatchObject({ code: 'MISUSE' });
      forget();
      return 'invalid';
    });
    expect([await call(request), runs]).toEqual([saw('invalid'), 1]);
  });

  it('is too late also when a commit has begun and was refused', async () => {
    const call = way(async ({ forget, commit }) => {
      await commit(1, [null as never]).catch(() => {});
      expect(forget).toThrow(expect.objectContaining({ code: 'MISUSE' }));
      return 'done';
    });
    expect(await call(request)).toEqual(saw('done'));
  });

  it('within a look at an unknown outcome does not bind the handler', async () => {
    const call = way(({ attempt, step }) => (attempt === 1 ? crash() : step('charge', () => 'charged')), {
      onUnknown: ({ forget }) => {
        forget();
        return { rerun: true };
      },
    });
    call(request);
    await expect.poll(world.items).toHaveLength(1);
    world.wait(LEASE_MS);
    expect(await call(request)).toEqual(saw('charged'));
  });

  it('is too late when a step or a commit has begun', async () => {
    const stepped = way(async ({ forget, step }) => {
      const charge = step('charge', () => 'charged');
      expect(forget).toThrow(expect.objectContaining({ code: 'MISUSE' }));
      return charge;
    });
    expect([await stepped(request), await stepped(request), runs]).toEqual([saw('charged'), saw('charged'), 1]);
    const committed = way(async ({ forget, commit }) => {
      const committing = commit('committed', []);
      expect(forget).toThrow(expect.objectContaining({ code: 'MISUSE' }));
      await committing;
      expect(forget).toThrow(expect.objectContaining({ code: 'MISUSE' }));
    });
    expect(await committed({ ...request, key: 'committed' })).toEqual(saw('committed'));
  });

  it('after a run that was lost is a release like any other: that run may have done something', async () => {
    const lost = way(({ attempt, ...execution }) => (attempt === 1 ? crash() : invalid({ attempt, ...execution })));
    lost(request);
    await expect.poll(world.items).toHaveLength(1);
    world.wait(LEASE_MS);
    expect(await lost(request)).toEqual(saw('invalid'));
    expect(await lost({ ...request, payload: 2 })).toEqual(refused('MISMATCH'));
    expect(await way(() => 'valid')(request)).toEqual(saw('valid'));
  });

  it('after a run with steps is a release like any other, and keeps them', async () => {
    let charges = 0;
    const call = way(async (execution) => {
      if (runs === 2) return invalid(execution);
      await execution.step('charge', () => ++charges);
      if (runs === 1) throw new Error('no');
      return charges;
    });
    await call(request);
    expect(await call(request)).toEqual(saw('invalid'));
    expect(await call({ ...request, payload: 2 })).toEqual(refused('MISMATCH'));
    expect([await call(request), charges]).toEqual([saw(1), 1]);
  });

  it('within a look at an unknown outcome leaves it unknown', async () => {
    const call = way(crash, {
      onUnknown: ({ forget }) => {
        forget();
        return { value: 'found' };
      },
    });
    call(request);
    await expect.poll(world.items).toHaveLength(1);
    world.wait(LEASE_MS);
    expect(await call(request)).toEqual(saw('found'));
    expect(await way(() => 'never', { onUnknown: 'refuse' })(request)).toEqual(refused('OUTCOME_UNKNOWN'));
  });

  it('is answered also by a run that was taken over, with its own value', async () => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const call = way(async (execution) => {
      if (execution.attempt > 1) return 'winner';
      entered.resolve();
      await gate.promise;
      return invalid(execution);
    });
    const stale = call(request);
    await entered.promise;
    world.wait(LEASE_MS);
    expect(await call(request)).toEqual(saw('winner'));
    gate.resolve();
    expect(await stale).toEqual(saw('invalid'));
    expect(await call(request)).toEqual(saw('winner'));
  });

  it('is answered also where the release fails', async () => {
    world.aws().next('UpdateItem', fails, refuses('AccessDeniedException'));
    expect(await way(invalid)(request)).toEqual(saw('invalid'));
  });

  it("lifts the duty to commit in mode: 'atomic'", async () => {
    const call = way(invalid, { mode: 'atomic' });
    expect([await call(request), await world.items()]).toEqual([saw('invalid'), []]);
    const late = way(
      async ({ forget, commit }) => {
        await commit('committed', []);
        expect(forget).toThrow(expect.objectContaining({ code: 'MISUSE' }));
      },
      { mode: 'atomic' },
    );
    expect(await late(request)).toEqual(saw('committed'));
    const both = way(
      async (execution) => {
        invalid(execution);
        await execution.commit('never', []);
      },
      { mode: 'atomic' },
    );
    expect(await both({ ...request, key: 'both' })).toEqual(refused('MISUSE'));
  });

  it('does nothing in a run without a key', async () => {
    expect(await way(invalid, { onMissingKey: 'run' })({})).toEqual(saw('invalid'));
  });
});

it('lets a client that was told 400 come again with the same key and a payload that is mended', async () => {
  const handler = idempotent(
    async (event: { body: string }, { idempotency }) => {
      if (JSON.parse(event.body).amount > 0) return { statusCode: 201 };
      idempotency.forget();
      return { statusCode: 400 };
    },
    { store: memoryStore(), scope: 'orders' },
  );
  const post = (amount: number) =>
    handler(httpEvent({ key: 'k', body: { amount } }) as { body: string }, lambdaContext());
  expect([await post(-1), await post(-1), await post(1), await post(1)]).toMatchObject([
    { statusCode: 400 },
    { statusCode: 400 },
    { statusCode: 201 },
    { statusCode: 201, headers: { 'Idempotent-Replayed': 'true' } },
  ]);
  expect(await post(2)).toMatchObject({ statusCode: 422 });
});
