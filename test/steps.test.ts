import { randomBytes } from 'node:crypto';
import { type Execution, type StepContext, TerminalError } from 'effectively-once';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isDown, losesAnswer } from './faults.ts';
import { type Request, refused, WAYS, type WayOptions } from './ways.ts';
import { LEASE_MS, worldOfTests } from './world.ts';

const world = worldOfTests('one table');

describe.each(WAYS)('steps in $name', ({ build, name }) => {
  let request: Request;
  let effects: string[];
  beforeEach(() => {
    request = { key: crypto.randomUUID(), payload: 1 };
    effects = [];
  });

  const way = (handler: (execution: Execution) => unknown, options: Partial<WayOptions> = {}) =>
    build(handler, { store: world.store(), ...options });
  const effect = (what: string) => () => {
    effects.push(what);
    return what;
  };
  const failed = (message: string) => ({ error: expect.objectContaining({ message }) });
  const isDone = async (answer: Promise<object>) => expect(await answer).not.toHaveProperty('error');

  it('run once each, and a retry after a failure resumes behind them', async () => {
    const call = way(async ({ step, attempt }) => {
      const first = await step('first', effect('first'));
      if (attempt === 1) throw new Error('between');
      return `${first} ${await step('second', effect('second'))}`;
    });
    expect(await call(request)).toEqual(failed('between'));
    await isDone(call(request));
    expect(effects).toEqual(['first', 'second']);
  });

  it('are gone on with after a crash, an interrupted one with the same key', async () => {
    const keys: string[] = [];
    const hang = Promise.withResolvers<void>();
    const call = way(async ({ step, attempt }) => {
      await step('first', effect('first'));
      await step('second', async ({ key }) => {
        keys.push(key);
        effect('second')();
        if (attempt === 1) {
          hang.resolve();
          await new Promise(() => {}); // dies in the middle
        }
      });
    });
    call(request);
    await hang.promise;
    world.wait(LEASE_MS);
    await isDone(call(request));
    expect(effects).toEqual(['first', 'second', 'second']);
    expect(keys[0]).toBe(keys[1]);
  });

  it('of a key that has expired are forgotten', async () => {
    const call = way(
      async ({ step, attempt }) => {
        await step('first', effect(`first ${attempt}`));
        if (attempt === 1) throw new Error('no');
      },
      { retention: '1h' },
    );
    await call(request);
    vi.setSystemTime(Date.now() + 2 * 3_600_000);
    await isDone(call(request));
    expect(effects).toEqual(['first 1', 'first 2']);
  });

  it('run side by side, and a failure is released only when all of them are on record', async () => {
    const slow = Promise.withResolvers<void>();
    const call = way(async ({ step, attempt }) => {
      const running = [
        step('slow', async () => {
          effect('slow')();
          await slow.promise;
        }),
        step('quick', effect('quick')),
      ];
      await running[1];
      if (attempt === 1) throw new Error('quick fails');
      await Promise.all(running);
    });
    const first = call(request);
    await vi.waitFor(() => expect(effects).toEqual(['slow', 'quick']));
    expect(await call(request)).toEqual(refused('CONFLICT'));
    slow.resolve();
    expect(await first).toEqual(failed('quick fails'));
    await isDone(call(request));
    expect(effects).toEqual(['slow', 'quick']);
  });

  it('record a terminal error, and throw it again on a later attempt', async () => {
    const call = way(async ({ step, attempt }) => {
      const declined: unknown = await step('charge', () => {
        effect('charge')();
        throw new TerminalError('declined');
      }).catch((error) => error);
      expect(declined).toMatchObject({ name: 'TerminalError', message: 'declined' });
      if (attempt === 1) throw new Error('later');
    });
    expect(await call(request)).toEqual(failed('later'));
    await isDone(call(request));
    expect(effects).toEqual(['charge']);
  });

  it('that fail otherwise run again on a later attempt', async () => {
    const call = way(({ step, attempt }) =>
      step('charge', () => {
        effect('charge')();
        if (attempt === 1) throw new Error('away');
      }),
    );
    expect(await call(request)).toEqual(failed('away'));
    await isDone(call(request));
    expect(effects).toEqual(['charge', 'charge']);
  });

  it('hand out values that are fresh copies, undefined among them', async () => {
    const call = way(async ({ step, attempt }) => {
      const values = [await step('object', () => ({ tags: ['a'] })), await step('nothing', () => undefined)];
      expect(values).toEqual([{ tags: ['a'] }, undefined]);
      if (attempt < 3) throw new Error('again');
    });
    await call(request);
    await call(request);
    await isDone(call(request));
  });

  it('whose value cannot be kept are done: a later attempt is refused instead of a second effect', async () => {
    const call = way(async ({ step, attempt }) => {
      const value = await step('charge', () => {
        effect('charge')();
        return Symbol.for('receipt');
      });
      expect(value).toBe(Symbol.for('receipt'));
      if (attempt === 1) throw new Error('no');
    });
    expect(await call(request)).toEqual(failed('no'));
    expect(await call(request)).toEqual(refused('RESULT_UNAVAILABLE'));
    expect(effects).toEqual(['charge']);
  });

  it('keep values of any kind and size', async () => {
    const values = { big: 1n, none: undefined, large: 'x'.repeat(300_000), hard: randomBytes(900_000) };
    const call = way(async ({ step, attempt }) => {
      for (const [name, value] of Object.entries(values)) {
        expect(await step<unknown>(name, () => (attempt === 1 ? value : effect('never')()))).toStrictEqual(value);
      }
      if (attempt === 1) throw new Error('no');
    });
    expect(await call(request)).toEqual(failed('no'));
    await isDone(call(request));
    expect(effects).toEqual([]);
  });

  it('may not bear a name that the SDK cannot read', async () => {
    expect(await way(({ step }) => step('__proto__', () => 1))(request)).toEqual(refused('MISUSE'));
  });

  it('may not be begun within themselves', async () => {
    const call = way(({ step }) => step('a', () => step('a', effect('never'))));
    expect(await call(request)).toEqual(refused('MISUSE'));
  });

  it('that do not end leave the key to the lease, and the caller its error in time', async () => {
    const call = way(
      async ({ step }) => {
        step('hangs', () => new Promise(() => {}));
        throw new Error('mine');
      },
      { timeoutMs: 1_200 },
    );
    expect(await call(request)).toEqual(failed('mine'));
    expect(await call(request)).toEqual(refused('CONFLICT'));
  });

  it('whose record is not sure keep the key until the lease is over, whatever the handler throws', async () => {
    const call = way(async ({ step, attempt }) => {
      if (attempt === 1) world.aws().next('UpdateItem', ...isDown);
      await step('charge', effect('charge'));
    });
    expect(await call(request)).toEqual(refused('STORE_UNAVAILABLE'));
    expect(await call(request)).toEqual(refused('CONFLICT'));
    world.wait(LEASE_MS);
    await isDone(call(request));
    expect(effects).toEqual(['charge', 'charge']);
  });

  it('recognise their own record when the answer was lost', async () => {
    const call = way(async ({ step }) => {
      world.aws().next('UpdateItem', losesAnswer, losesAnswer);
      await step('charge', effect('charge'));
    });
    await isDone(call(request));
    expect(effects).toEqual(['charge']);
  });

  it('of a run that was taken over record nothing, and tell it', async () => {
    const taken = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const call = way(async ({ step, attempt }) => {
      if (attempt === 1) {
        const late = step('charge', async () => {
          entered.resolve();
          await taken.promise;
          effects.push('stale');
        });
        await expect(late).rejects.toMatchObject({ code: 'LEASE_LOST' });
        await expect(step('next', effect('never'))).rejects.toMatchObject({ code: 'LEASE_LOST' });
        throw new Error('stale');
      }
      await step('charge', effect('charge'));
      taken.resolve();
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (attempt === 2) throw new Error('no');
    });
    const stale = call(request);
    await entered.promise;
    world.wait(LEASE_MS);
    expect(await call(request)).toEqual(failed('no'));
    expect(await stale).toEqual(failed('stale'));
    await isDone(call(request));
    expect(effects).toEqual(['charge', 'stale']);
  });

  it.each(['', ' ', 'x'.repeat(256), 5, undefined])('are not called %o', async (bad) => {
    const call = way(({ step }) => step(bad as string, effect('never')));
    expect(await call(request)).toEqual(refused('MISUSE'));
    expect(effects).toEqual([]);
  });

  it('are not begun twice in one run, nor after it', async () => {
    let late: Execution | undefined;
    const call = way(async (execution) => {
      late = execution;
      await execution.step('charge', effect('charge'));
      await expect(execution.step('charge', effect('again'))).rejects.toMatchObject({ code: 'MISUSE' });
    });
    await isDone(call(request));
    await expect(late?.step('late', effect('late'))).rejects.toMatchObject({ code: 'MISUSE' });
    expect(effects).toEqual(['charge']);
  });

  it('that nobody awaits are waited for before the run ends, however it ends', async () => {
    const floating = ({ step }: Execution) => {
      step('mail', async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return effect('mail')();
      });
    };
    const returns = way((execution) => {
      floating(execution);
      return 'sent';
    });
    await isDone(returns(request));
    expect(effects).toEqual(['mail']);
    const throws = way((execution) => {
      floating(execution);
      throw new TerminalError('no');
    });
    expect(await throws({ ...request, key: crypto.randomUUID() })).toEqual(failed('no'));
    const commits = way(async (execution) => {
      floating(execution);
      await execution.commit('committed', []);
    });
    await isDone(commits({ ...request, key: crypto.randomUUID() }));
    expect(effects).toEqual(['mail', 'mail', 'mail']);
    expect(process.emitWarning).not.toHaveBeenCalled();
  });

  describe('that fail while nobody awaits them', () => {
    const unhandled = vi.fn();
    beforeEach(() => {
      unhandled.mockClear();
      process.on('unhandledRejection', unhandled);
    });
    afterEach(() => void process.off('unhandledRejection', unhandled));
    const warned = expect.stringMatching(/^step "mail" of .* failed, and nobody waits for it: Error: no mail$/);

    it.each([0, 50])('are told in a warning, and end neither the process nor the run: after %i ms', async (ms) => {
      const call = way(async ({ step }) => {
        step('mail', async () => {
          await new Promise((resolve) => setTimeout(resolve, ms));
          throw new Error('no mail');
        });
        await new Promise((resolve) => setTimeout(resolve, 20));
        return 'sent';
      });
      await isDone(call(request));
      expect(process.emitWarning).toHaveBeenCalledExactlyOnceWith(warned, 'IdempotencyWarning');
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).not.toHaveBeenCalled();
    });

    it('are not told where somebody did', async () => {
      const call = way(async ({ step }) => {
        const mail = step('mail', () => Promise.reject(new Error('no mail')));
        await new Promise((resolve) => setTimeout(resolve, 10));
        await expect(mail).rejects.toThrow('no mail');
        await Promise.allSettled([step('other', () => Promise.reject(new Error('no')))]);
        return 'sent';
      });
      await isDone(call(request));
      expect(process.emitWarning).not.toHaveBeenCalled();
    });
  });

  it('that go on when their run has ended keep the key, and are on record for the next', async () => {
    let inside = 0;
    let most = 0;
    const saved = Promise.withResolvers<unknown>();
    const call = way(
      async ({ step, attempt }) => {
        const charge = step('charge', async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setTimeout(resolve, 1_200));
          inside--;
          return effect('charge')();
        });
        charge.then(saved.resolve, saved.reject);
        if (attempt === 1) throw new Error('mine');
        return charge;
      },
      { timeoutMs: 900 },
    );
    expect(await call(request)).toEqual(failed('mine'));
    expect(await way(effect('never'))(request)).toEqual(refused('CONFLICT'));
    await saved.promise;
    world.wait(LEASE_MS);
    await isDone(way(({ step }) => step('charge', effect('never')))(request));
    expect([effects, most]).toEqual([['charge'], 1]);
  });

  it('of a run without a key are waited for, and end no process, as are those where there are none', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const call = way(
      ({ step, commit }) => {
        step('mail', async () => {
          await new Promise((resolve) => setTimeout(resolve, 30));
          throw new Error(effect('mail')());
        });
        commit(1, []);
        return 'sent';
      },
      { onMissingKey: 'run' },
    );
    await isDone(call({ payload: 1 }));
    expect(effects).toEqual(['mail']);
    const atomic = way(
      async ({ step, commit }) => {
        step('mail', effect('never'));
        await commit(1, []);
      },
      { mode: 'atomic' },
    );
    await isDone(atomic(request));
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).not.toHaveBeenCalled();
    const told = vi.mocked(process.emitWarning).mock.calls.map(([what]) => String(what).split(' failed')[0]);
    expect(told.map((what = '') => what.split(' of ')[0]).toSorted()).toEqual([
      'a commit',
      'step "mail"',
      'step "mail"',
    ]);
    process.off('unhandledRejection', unhandled);
  });

  it('that a look at an unknown outcome leaves behind are not begun again beside themselves', async () => {
    let inside = 0;
    let most = 0;
    const look = async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 700));
      inside--;
    };
    const { hangs, begun } = hanging();
    const call = way(({ step, attempt }) => (attempt === 1 ? hangs() : step('look', look)), {
      timeoutMs: 5_000,
      onUnknown: ({ step }) => {
        step('look', look);
        return { rerun: true };
      },
    });
    call(request);
    await begun;
    world.wait(LEASE_MS);
    await call(request);
    expect(most).toBe(1);
  });

  it('leave a commit that nobody awaits, and that is refused, without harm', async () => {
    const call = way(({ commit }) => {
      commit(1, [null as never]);
      return 'done';
    });
    await isDone(call(request));
    expect(process.emitWarning).toHaveBeenCalledWith(expect.stringContaining('a commit of'), 'IdempotencyWarning');
  });

  it('are refused after the commit, before their effect', async () => {
    const call = way(async ({ step, commit }) => {
      const committing = commit('committed', []);
      await expect(step('early', effect('never'))).rejects.toMatchObject({ code: 'MISUSE' });
      await committing;
      await expect(step('late', effect('never'))).rejects.toMatchObject({ code: 'MISUSE' });
    });
    await isDone(call(request));
    expect(effects).toEqual([]);
  });

  it('that a look at an unknown outcome has made are not made again by the handler', async () => {
    const { hangs, begun } = hanging();
    const call = way(({ step, attempt }) => (attempt === 1 ? hangs() : step('look', effect('never'))), {
      onUnknown: async ({ step }) => {
        step('look', effect('look')); // nobody awaits it
        return { rerun: true };
      },
    });
    call(request);
    await begun;
    world.wait(LEASE_MS);
    await isDone(call(request));
    expect(effects).toEqual(['look']);
  });

  it.each([
    ['begins when the lease is over', (at: number) => at],
    ['begins behind a clock that has jumped', (at: number) => at + 3_600_000],
  ])('is refused, and its signal aborted, where it %s', async (_, jump) => {
    const call = way(async ({ step, signal }) => {
      world.wait(jump(LEASE_MS)); // no timer has fired: the event loop was blocked, or the process frozen
      expect(signal.aborted).toBe(true);
      expect(signal.reason).toMatchObject({ code: 'LEASE_LOST' });
      expect(() => signal.throwIfAborted()).toThrow(signal.reason);
      await step('charge', effect('never'));
    });
    expect(await call(request)).toEqual(refused('LEASE_LOST'));
    expect(effects).toEqual([]);
  });

  it('know the attempt and the signal of their run', async () => {
    const seen: StepContext[] = [];
    const call = way(async ({ step, attempt, signal }) => {
      await step(`charge ${attempt}`, (context) => seen.push(context));
      expect(seen.at(-1)).toMatchObject({ attempt, signal });
      if (attempt === 1) throw new Error('no');
    });
    await call(request);
    await isDone(call(request));
  });

  it('of a run without a key just run, each time with a key of its own', async () => {
    const keys: string[] = [];
    const call = way(
      async ({ step, keyFor }) => {
        expect(() => keyFor('charge')).toThrow(expect.objectContaining({ code: 'MISUSE' }));
        return step('charge', ({ key }) => keys.push(key));
      },
      { onMissingKey: 'run' },
    );
    await isDone(call({}));
    await isDone(call({}));
    expect(new Set(keys).size).toBe(2);
    expect(world.aws().requests()).toBe(0);
  });

  it('have keys as providers take them: UUIDs, one for a name and a record', async () => {
    const keys: string[] = [];
    const call = way(async ({ step, keyFor, attempt }) => {
      keys.push(keyFor('a'), keyFor('b'));
      await step(`a${attempt}`, ({ key }) => expect(key).toBe(keyFor(`a${attempt}`)));
      if (attempt === 1) throw new Error('no');
    });
    await call(request);
    await isDone(call(request));
    await call({ ...request, key: crypto.randomUUID() });
    const [a, b, againA, againB, otherA, otherB] = keys;
    expect([againA, againB]).toEqual([a, b]);
    expect(new Set([a, b, otherA, otherB]).size).toBe(4);
    for (const key of keys)
      expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('do not make a batch record done', async () => {
    if (name !== 'idempotentBatch') return;
    const call = way(async ({ step, attempt }) => {
      await step('charge', () => Symbol.for('receipt'));
      if (attempt === 1) throw new Error('no');
    });
    await call(request);
    expect(await call(request)).toEqual(refused('RESULT_UNAVAILABLE'));
  });
});

/** A handler that never ends, and when it has begun. */
function hanging() {
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const hangs = (): Promise<never> => {
    resolve();
    return new Promise(() => {});
  };
  return { hangs, begun };
}
