import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type ClaimRequest, claim, commitUnclaimed } from '../../src/core/claim.ts';
import { IdempotencyError } from '../../src/core/errors.ts';
import {
  complete,
  completing,
  decideUnknown,
  extend,
  type Holder,
  release,
  saveStep,
  surrender,
} from '../../src/core/protocol.ts';
import type { Claimed, Completed, IdempotencyRecord, Outcome } from '../../src/core/record.ts';
import type { Store, Write, Written } from '../../src/core/store.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { instead, replace } from '../stores/writes.ts';

const HOUR = 3_600_000;
let now: number;
let store: Store;
beforeEach(() => {
  now = 1_800_000_000_000;
  store = memoryStore();
});
const clock = () => now;
let owners = 0;
const request = (more: Partial<ClaimRequest> = {}): ClaimRequest => ({
  id: 'id',
  owner: `owner-${owners++}`,
  fingerprint: 'f',
  leaseUntil: (at) => at + 1_000,
  retention: HOUR,
  ...more,
});
const acquire = async (more?: Partial<ClaimRequest>): Promise<Claimed> => {
  const claimed = await claim(store, request(more), clock);
  if (claimed.kind !== 'acquired') throw new Error(claimed.kind);
  return claimed.lease;
};
/** A store whose first write of a kind does something else. */
const once =
  (act: (write: Write, send: () => Promise<Written>) => Promise<Written>) =>
  (kind: Write['kind']): Store => {
    let isFirst = true;
    return instead(store, kind, (write, send) => {
      const acts = isFirst;
      isFirst = false;
      return acts ? act(write, send) : send();
    });
  };
const by = (lease: Claimed): Holder => ({ store, lease, retention: HOUR, now: clock });
const DONE = { kind: 'value', body: '"done"' } as const;
const lost = (found: IdempotencyRecord | undefined): Written => ({ done: false, found });
const AWAY = new IdempotencyError('STORE_UNAVAILABLE', 'away');
/** What the store holds, by way of a write that must lose against it. */
const kept = async (): Promise<IdempotencyRecord | undefined> => {
  const never = { id: 'id', status: 'IN_PROGRESS', version: -1, attempt: 0, claimedAt: 0, steps: {} } as const;
  const written = await store.write(replace(never, never));
  return written.done ? undefined : written.found;
};

describe('claim', () => {
  it('says what it took, and counts the attempts', async () => {
    expect(await claim(store, request(), clock)).toMatchObject({
      takeover: undefined,
      lease: { attempt: 1, version: 1 },
    });
    now += 1_000;
    const second = await acquire();
    expect(second).toMatchObject({ attempt: 2, version: 2 });
    await release(by(second));
    expect(await claim(store, request(), clock)).toMatchObject({
      takeover: { from: 'released' },
      lease: { attempt: 3 },
    });
    now += 1_000;
    expect(await claim(store, request(), clock)).toMatchObject({
      takeover: { from: 'abandoned' },
      lease: { attempt: 4 },
    });
    now += 2 * HOUR;
    expect(await claim(store, request(), clock)).toMatchObject({
      takeover: { from: 'expired' },
      lease: { attempt: 5 },
    });
  });

  it('never expires before its lease, however short the retention (A7)', async () => {
    const lease = await acquire({ leaseUntil: (at) => at + 90_500, retention: 1 });
    expect((lease.expiresAt ?? 0) * 1_000).toBeGreaterThanOrEqual(lease.leaseUntil);
    now += 90_499;
    expect(await claim(store, request({ retention: 1 }), clock)).toMatchObject({ kind: 'conflict' });
  });

  it('never takes over a record that changed since it was seen', async () => {
    const first = await acquire();
    now += 1_000;
    // The first run completes between the insert that met it and the replace.
    const racing = instead(store, 'replace', async (_, send) => {
      await complete(by(first), DONE);
      return send();
    });
    expect(await claim(racing, request(), clock)).toMatchObject({ kind: 'replay', outcome: DONE });
  });

  it('begins anew where TTL deleted the record in the way', async () => {
    const old = await acquire();
    await complete(by(old), DONE);
    now += 2 * HOUR;
    const replaced = memoryStore();
    let met = false;
    const racing = instead(replaced, 'insert', (write, send) => {
      if (met) return send();
      met = true;
      return store.write(write);
    });
    expect(await claim(racing, request(), clock)).toMatchObject({ kind: 'acquired', lease: { attempt: 1 } });
  });

  it('gives way after losing five times in a row', async () => {
    const old = await acquire();
    now += 1_000;
    const loses = vi.fn(async () => lost(old));
    expect(await claim(instead(store, 'replace', loses), request(), clock)).toEqual({ kind: 'conflict' });
    expect(loses).toHaveBeenCalledTimes(4); // after an insert
  });

  it('gives back what may have landed though the store did not say so: the next runs at once', async () => {
    const losesAnswer = async (_: object, send: () => Promise<Written>): Promise<never> => {
      await send();
      throw AWAY;
    };
    const unheard = once(losesAnswer);
    await expect(claim(unheard('insert'), request(), clock)).rejects.toBe(AWAY);
    const first = await claim(store, request(), clock);
    expect(first).toMatchObject({ takeover: { from: 'released' } });
    now += 1_000;
    await expect(claim(unheard('replace'), request(), clock)).rejects.toBe(AWAY);
    expect(await claim(store, request({ onUnknown: 'refuse' }), clock)).toEqual({ kind: 'unknown' });
  });

  describe('that was given up', () => {
    /** The claim's write, which may land later. */
    const givenUp = async (of: 'insert' | 'replace'): Promise<Write> => {
      let late: Write | undefined;
      const gone = async (write: Write): Promise<never> => {
        late = write;
        throw AWAY;
      };
      await expect(claim(once(gone)(of), request(), clock)).rejects.toBe(AWAY);
      return late as Write;
    };

    it('cannot land later: the key is free', async () => {
      const late = await givenUp('insert');
      expect(await store.read?.('id')).toMatchObject({
        status: 'IN_PROGRESS',
        fingerprint: 'f',
        expiresAt: now / 1_000 + 3_600,
      });
      expect(await store.write(late)).toMatchObject({ done: false });
      expect(await claim(store, request({ onUnknown: 'refuse' }), clock)).toMatchObject({
        takeover: { from: 'released' },
      });
    });

    it('cannot take over later: the key is what it was', async () => {
      const lost = await acquire();
      now += 1_000;
      const late = await givenUp('replace');
      expect(await store.read?.('id')).toEqual({ ...lost, version: 2 });
      expect(await store.write(late)).toMatchObject({ done: false });
      expect(await claim(store, request({ onUnknown: 'refuse' }), clock)).toEqual({ kind: 'unknown' });
    });

    it('writes once in its place, and nothing besides', async () => {
      const writes: Write[] = [];
      const gone = once(async () => {
        throw AWAY;
      })('insert');
      const noted: Store = {
        ...gone,
        write: (write) => {
          writes.push(write);
          return gone.write(write);
        },
      };
      await expect(claim(noted, request(), clock)).rejects.toBe(AWAY);
      expect(writes.map(({ kind }) => kind)).toEqual(['insert', 'insert']);
      const other = await acquire({ id: 'other' });
      const late = instead(
        instead(noted, 'insert', async () => ({ done: false, found: other })),
        'update',
        () => {
          throw new Error('it is not its own');
        },
      );
      let isFirst = true;
      const lost = instead(late, 'insert', async (_, send) => {
        if (!isFirst) return send();
        isFirst = false;
        throw AWAY;
      });
      const updated = vi.fn();
      const watched: Store = {
        ...lost,
        write: (write) => {
          if (write.kind === 'update') updated();
          return lost.write(write);
        },
      };
      await expect(claim(watched, request(), clock)).rejects.toBe(AWAY);
      expect(updated).not.toHaveBeenCalled();
    });

    it('leaves alone what another has written meanwhile', async () => {
      let other: Claimed | undefined;
      const overtaken = once(async () => {
        other = await acquire();
        throw AWAY;
      });
      await expect(claim(overtaken('insert'), request(), clock)).rejects.toBe(AWAY);
      expect(await store.read?.('id')).toEqual(other);
    });

    it('was not written, as its store says: nothing more is', async () => {
      const throttled = new IdempotencyError('STORE_UNAVAILABLE', 'throttled', { isUnwritten: true });
      const broken = vi.fn(() => Promise.reject(throttled));
      await expect(claim({ write: broken }, request(), clock)).rejects.toBe(throttled);
      expect(broken).toHaveBeenCalledTimes(1);
    });

    it('is told as it was, also if the key cannot be given back', async () => {
      const broken = { write: () => Promise.reject(AWAY) };
      await expect(claim(broken, request(), clock)).rejects.toBe(AWAY);
    });
  });

  it('gives nothing back where the store cannot have written anything', async () => {
    const noTable = new IdempotencyError('CONFIG_INVALID', 'no table');
    const broken = vi.fn(() => Promise.reject(noTable));
    await expect(claim({ write: broken }, request(), clock)).rejects.toBe(noTable);
    expect(broken).toHaveBeenCalledTimes(1);
  });

  it('lets one of any number of claims win, in every order of their writes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 2, max: 5 }),
        fc.boolean(),
        async (scheduler, count, abandoned) => {
          store = memoryStore();
          if (abandoned) {
            await acquire();
            now += 1_000;
          }
          const scheduled: Store = { write: scheduler.scheduleFunction((write) => store.write(write)) };
          const claims = Array.from({ length: count }, () => claim(scheduled, request(), clock));
          await scheduler.waitIdle();
          const kinds = (await Promise.all(claims)).map(({ kind }) => kind);
          expect(kinds.filter((kind) => kind === 'acquired')).toHaveLength(1);
          expect(kinds.filter((kind) => kind === 'conflict')).toHaveLength(count - 1);
        },
      ),
    );
  });
});

describe('a run whose lease was taken over', () => {
  const takenOver = async (): Promise<{ stale: Claimed; winner: Claimed }> => {
    const stale = await acquire();
    now += 1_000;
    return { stale, winner: await acquire() };
  };

  it('can neither complete nor release nor extend (A4, A5)', async () => {
    const { stale, winner } = await takenOver();
    expect(await complete(by(stale), DONE)).toEqual({ kind: 'lost' });
    expect(await release(by(stale))).toEqual({ kind: 'lost' });
    expect(await extend(by(stale), now + HOUR)).toBe('lost');
    expect(await claim(store, request(), clock)).toMatchObject({ kind: 'conflict' });
    expect(await complete(by(winner), DONE)).toEqual({ kind: 'done' });
  });

  it('has released nothing where a later one did, or another that counts from 1 again', async () => {
    const { stale, winner } = await takenOver();
    await release(by(winner));
    expect(await release(by(stale))).toEqual({ kind: 'lost' });
    store = memoryStore(); // TTL deleted the record
    const another = await acquire();
    expect(another.attempt).toBe(stale.attempt);
    expect(await release(by(stale))).toEqual({ kind: 'lost' });
  });

  it("adopts the winner's outcome", async () => {
    const { stale, winner } = await takenOver();
    await complete(by(winner), DONE);
    expect(await complete(by(stale), { kind: 'value', body: '"mine"' })).toEqual({
      kind: 'adopted',
      outcome: DONE,
      attempt: 2,
    });
    expect(await release(by(stale))).toMatchObject({ kind: 'adopted', outcome: DONE });
  });

  it('adopts nothing of another payload, nor what has expired', async () => {
    const stale = await acquire();
    now += 2 * HOUR;
    const other = await acquire({ fingerprint: 'g' });
    await complete(by(other), DONE);
    expect(await complete(by(stale), DONE)).toEqual({ kind: 'lost' });
    now += 2 * HOUR;
    const same = await acquire({ fingerprint: 'f' });
    await complete(by(same), DONE);
    now += 2 * HOUR;
    expect(await complete(by(stale), DONE)).toEqual({ kind: 'lost' });
  });
});

describe('complete', () => {
  it('adopts nothing that expires while the answer is on its way', async () => {
    const stale = await acquire();
    now += 5_000;
    await complete(by(await acquire()), DONE);
    const slow = instead(store, 'update', async (_, send) => {
      const written = await send();
      now += HOUR + 1_000;
      return written;
    });
    expect(await complete({ ...by(stale), store: slow }, DONE)).toEqual({ kind: 'lost' });
  });

  it('is done when an earlier try of it has landed', async () => {
    const lease = await acquire();
    await complete(by(lease), DONE);
    expect(await complete(by(lease), DONE)).toEqual({ kind: 'done' });
  });

  it('is not undone by a release that comes late', async () => {
    const lease = await acquire();
    await complete(by(lease), DONE);
    await release(by(lease));
    expect(await claim(store, request(), clock)).toMatchObject({ kind: 'replay' });
  });
});

describe('release', () => {
  it('is done when an earlier try of it has landed', async () => {
    const lease = await acquire();
    await release(by(lease));
    expect(await release(by(lease))).toEqual({ kind: 'done' });
  });

  it('is not a completion: what comes after it has lost', async () => {
    const lease = await acquire();
    await release(by(lease));
    expect(await complete(by(lease), DONE)).toEqual({ kind: 'lost' });
  });
});

describe('commitUnclaimed', () => {
  /** Loses against one record after the other, and then lands. */
  const against = (...found: (IdempotencyRecord | undefined)[]) =>
    vi.fn<Required<Store>['transact']>(async () => (found.length > 0 ? lost(found.shift()) : { done: true }));
  const atomic = (transact: Required<Store>['transact'], asked = request()) =>
    commitUnclaimed({ ...store, transact }, { ...asked, outcome: DONE, writes: [] }, clock);

  it('goes on where the record in the way is gone, abandoned, or of a claim of its own', async () => {
    const mine = request();
    const abandoned = await acquire();
    now += 1_000;
    const claimed: Claimed = { ...abandoned, owner: mine.owner, leaseUntil: now + 1_000 };
    const transact = against(undefined, abandoned, claimed);
    expect(await atomic(transact, mine)).toEqual({ kind: 'done' });
    const next = { status: 'COMPLETED', fingerprint: 'f', owner: mine.owner, outcome: DONE };
    expect(transact.mock.calls.map(([write]) => write)).toMatchObject([
      { kind: 'insert', next: { ...next, version: 1, attempt: 1 } },
      { kind: 'insert', next: { ...next, version: 1, attempt: 1 } },
      { kind: 'replace', next: { ...next, version: 2, attempt: 2 }, seen: abandoned },
      { kind: 'replace', next: { ...next, version: 2, attempt: 2 }, seen: claimed },
    ]);
  });

  it('gives way after losing five times in a row', async () => {
    const abandoned = await acquire();
    now += 1_000;
    const transact = against(...Array.from({ length: 9 }, () => abandoned));
    expect(await atomic(transact)).toEqual({ kind: 'conflict' });
    expect(transact).toHaveBeenCalledTimes(5);
  });

  it('is done when an earlier try of it has landed', async () => {
    const landed: Required<Store>['transact'] = async (write) => ({
      done: false,
      found: (write as { next: Completed }).next,
    });
    expect(await atomic(landed)).toEqual({ kind: 'done' });
  });

  it('is not done when another commit of the same run has landed', async () => {
    const another: Required<Store>['transact'] = async (write) => ({
      done: false,
      found: { ...(write as { next: Completed }).next, commit: 'another' },
    });
    expect(await atomic(another)).toMatchObject({ kind: 'replay', outcome: DONE });
  });
});

describe('saveStep', () => {
  const step = async (lease: Claimed, found: IdempotencyRecord | undefined) =>
    saveStep({ ...by(lease), store: instead(store, 'update', async () => ({ done: false, found })) }, 'a', DONE);

  it('has lost nothing by the completion of its own run', async () => {
    const lease = await acquire();
    const { leaseUntil: _, steps: __, ...rest } = lease;
    const completed = { ...rest, status: 'COMPLETED', outcome: DONE, completedAt: now } as const;
    expect(await step(lease, completed)).toBe(true);
    expect(await step(lease, { ...completed, owner: 'another' })).toBe(false);
    expect(await step(lease, lease)).toBe(false);
    expect(await step(lease, undefined)).toBe(false);
  });
});

describe('the record of a completion', () => {
  it('is the lease’s own, and lives as long as its outcome', async () => {
    const lease = await acquire();
    now += 500;
    expect(completing(by(lease))).toEqual({ ...lease, expiresAt: Math.ceil((now + HOUR) / 1_000) });
  });
});

describe('surrender', () => {
  it('leaves the outcome as unknown as it was, and at once for the next to ask', async () => {
    const lease = await acquire({ onUnknown: 'reconcile' });
    await surrender(by(lease));
    expect(await claim(store, request({ onUnknown: 'refuse' }), clock)).toEqual({ kind: 'unknown' });
    expect(await claim(store, request(), clock)).toMatchObject({ takeover: { from: 'abandoned' } });
  });

  it('keeps a record that expires for another retention', async () => {
    const lease = await acquire({ retention: 1_000 });
    await surrender(by(lease));
    now += HOUR - 1;
    expect(await claim(store, request(), clock)).toMatchObject({ takeover: { from: 'abandoned' } });
  });
});

describe('decideUnknown', () => {
  const decide = (seen: Claimed, outcome: Outcome | undefined, on = store) =>
    decideUnknown(on, seen, { outcome, owner: 'operator', expiresAt: (now + HOUR) / 1_000, now });
  const abandoned = async (): Promise<Claimed> => {
    const lease = await acquire({ onUnknown: 'refuse' });
    await saveStep(by(lease), 'charge', DONE);
    now += 1_000;
    return (await kept()) as Claimed;
  };

  it('records an outcome for what nobody knew', async () => {
    const seen = await abandoned();
    expect(await decide(seen, DONE)).toBe(true);
    expect(await kept()).toMatchObject({ status: 'COMPLETED', version: 3, owner: 'operator', outcome: DONE });
    now += 1;
    await expect(
      decideUnknown(store, seen, { outcome: DONE, owner: 'another', expiresAt: (now + HOUR) / 1_000, now }),
    ).resolves.toBe(false);
  });

  it('releases without an outcome, and keeps the steps for the next run', async () => {
    expect(await decide(await abandoned(), undefined)).toBe(true);
    expect(await kept()).toMatchObject({ status: 'IN_PROGRESS', version: 3, steps: { charge: DONE } });
    expect(await acquire()).toMatchObject({ steps: { charge: DONE } });
  });

  it.each<[string, (next: IdempotencyRecord) => IdempotencyRecord | undefined, boolean]>([
    ['by an earlier try of its own', (next) => next, true],
    ['by another, to the same version', (next) => ({ ...next, owner: 'other' }) as Completed, false],
    ['by itself and another since', (next) => ({ ...next, version: next.version + 1 }), false],
    ['by TTL', () => undefined, false],
  ])('says who was quicker, where the record was changed %s', async (_, found, isDecided) => {
    const seen = await abandoned();
    const racing = instead(store, 'replace', async ({ next }) => lost(found(next)));
    expect(await decide(seen, DONE, racing)).toBe(isDecided);
  });
});

describe('extend', () => {
  it('holds where a later extension came first', async () => {
    const lease = await acquire();
    await extend(by(lease), now + 9_000);
    expect(await extend(by(lease), now + 5_000)).toBe('extended');
    now += 8_999;
    expect(await claim(store, request(), clock)).toMatchObject({ kind: 'conflict' });
  });

  it('has nothing to prolong where an outcome of the same run is on record', async () => {
    const lease = await acquire();
    await complete(by(lease), DONE);
    expect(await extend(by(lease), now + 9_000)).toBe('over');
  });

  it('gives a record that never expires no expiry', async () => {
    const lease = await acquire({ onUnknown: 'refuse' });
    await extend(by(lease), now + 9_000);
    now += 1_000 * HOUR;
    expect(await claim(store, request({ onUnknown: 'refuse' }), clock)).toEqual({ kind: 'unknown' });
  });

  it('moves lease and expiry together', async () => {
    const lease = await acquire({ retention: 1_000 });
    expect(await extend({ ...by(lease), retention: 1_000 }, now + HOUR)).toBe('extended');
    now += HOUR - 1;
    expect(await claim(store, request(), clock)).toMatchObject({ kind: 'conflict' });
    now += 1;
    expect(await kept()).toMatchObject({ expiresAt: (now + 1_000) / 1_000 });
    expect(await claim(store, request(), clock)).toMatchObject({ takeover: { from: 'abandoned' } });
  });
});
