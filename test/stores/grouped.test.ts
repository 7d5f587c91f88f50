import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';
import { type Claimed, type Failed, IdempotencyError, memoryStore, type Store, type Write } from 'effectively-once';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { grouped } from '../../src/stores/grouped.ts';
import { accompanied, claimed, testStore } from './contract.ts';
import { insert, replace, update } from './writes.ts';

type Requests = readonly Write[][];

let sent: Write[][];
let answers: ((send: () => Promise<readonly unknown[]>) => Promise<any>)[];
let signals: (AbortSignal | undefined)[];
let isUsable: boolean;
beforeEach(() => {
  sent = [];
  answers = [];
  signals = [];
  isUsable = true;
});

/** A grouped store that says what it sends; `answers`: what its next groups meet. */
function open(): Store {
  const { write, writeAll, ...store } = memoryStore() as Required<Store>;
  const counted: Store = {
    ...store,
    write: (one, signal) => {
      sent.push([one]);
      return write(one, signal);
    },
  };
  return grouped(counted, {
    isUsable: () => isUsable,
    async writeAll(all, signal) {
      sent.push([...all]);
      signals.push(signal);
      await setImmediate(); // a way to the store and back
      const send = () => writeAll(all, signal) as Promise<readonly unknown[]>;
      return (answers.shift() ?? ((send) => send()))(send);
    },
  });
}

testStore('in groups', () => accompanied(open()));

const many = (count: number): Claimed[] => Array.from({ length: count }, () => claimed());
const completion = { kind: 'complete', outcome: { kind: 'value' }, completedAt: 1, expiresAt: 9 } as const;
const release = { kind: 'release', expiresAt: 9 } as const;
const sizes = (requests: Requests = sent): number[] => requests.map((writes) => writes.length);
const passing = new IdempotencyError('STORE_UNAVAILABLE', 'throttled', { isPassing: true, isUnwritten: true });
const lasting = new IdempotencyError('CONFIG_INVALID', 'denied');

describe('writes of one turn of the event loop', () => {
  it('share requests of up to 25', async () => {
    const store = open();
    const written = await Promise.all(many(60).map((next) => store.write(insert(next))));
    expect(written).toEqual(Array(60).fill({ done: true }));
    expect(sizes()).toEqual([25, 25, 10]);
  });

  it('share them whether they claim, complete or release', async () => {
    const store = open();
    const [a, b, c] = many(3) as [Claimed, Claimed, Claimed];
    await Promise.all([store.write(insert(a)), store.write(insert(b))]);
    sent = [];
    await Promise.all([store.write(update(a, completion)), store.write(update(b, release)), store.write(insert(c))]);
    expect(sizes()).toEqual([3]);
  });

  it('are judged alone', async () => {
    const store = open();
    const [a, b] = many(2) as [Claimed, Claimed];
    await store.write(insert(a));
    const written = await Promise.all([store.write(insert({ ...a, owner: 'another' })), store.write(insert(b))]);
    expect(written).toEqual([{ done: false, found: a }, { done: true }]);
  });

  it('go alone if there is but one', async () => {
    await open().write(insert(claimed()));
    expect(sizes()).toEqual([1]);
  });

  it('never share one if they are of the same record', async () => {
    const store = open();
    const [a, b] = many(2) as [Claimed, Claimed];
    const writes = [insert(a), insert(b), insert({ ...a, owner: 'another' }), insert({ ...b, owner: 'another' })];
    const written = await Promise.all(writes.map((write) => store.write(write)));
    expect(written.filter(({ done }) => done)).toHaveLength(2);
    expect(sent).toEqual([writes.slice(0, 2), writes.slice(2)]);
  });

  it.each<[string, (held: Claimed) => Write]>([
    ['a step', (held) => update(held, { kind: 'step', name: 'a', outcome: { kind: 'value' } })],
    ['an extension', (held) => update(held, { kind: 'extend', leaseUntil: held.leaseUntil + 1, expiresAt: 9 })],
    ['the end of a lease', (held) => update(held, { kind: 'end', leaseUntil: 1, expiresAt: 9 })],
    ['a replacement', (held) => replace(held, { ...held, version: 2 })],
    ['a release that leaves no fingerprint', (held) => update(held, { ...release, isForgotten: true })],
  ])('%s goes alone', async (_, write) => {
    const store = open();
    const all = many(2);
    await Promise.all(all.map((next) => store.write(insert(next))));
    sent = [];
    await Promise.all(all.map((held) => store.write(write(held))));
    expect(sizes()).toEqual([1, 1]);
  });

  it('go one by one where groups cannot be used', async () => {
    isUsable = false;
    const store = open();
    await Promise.all(many(3).map((next) => store.write(insert(next))));
    expect(sizes()).toEqual([1, 1, 1]);
  });

  it('go alone in the context of their callers, by which tracing knows them', async () => {
    const context = new AsyncLocalStorage<number>();
    const seen: (number | undefined)[] = [];
    const writer = { ...memoryStore(), write: async () => ({ done: Boolean(seen.push(context.getStore())) }) as never };
    const store = grouped(writer, { isUsable: () => true, writeAll: async (all) => all.map(() => ({ done: true })) });
    await context.run(1, () => Promise.all(many(2).map((next) => store.write(insert(next)))));
    await context.run(2, () => store.write(insert(claimed())));
    expect(seen).toEqual([2]);
  });
});

describe('a group that is under way', () => {
  const held = () => {
    const gate = Promise.withResolvers<void>();
    answers.push(async (send) => {
      await gate.promise;
      return send();
    });
    return gate;
  };

  it('gathers what comes until it ends', async () => {
    const store = open();
    const gate = held();
    const first = Promise.all(many(2).map((next) => store.write(insert(next))));
    await vi.waitFor(() => expect(sizes()).toEqual([2]));
    const second = store.write(insert(claimed()));
    await setImmediate();
    const third = store.write(insert(claimed()));
    gate.resolve();
    await Promise.all([first, second, third]);
    expect(sizes()).toEqual([2, 2]);
  });

  it('is not waited for any longer than some ms', async () => {
    const store = open();
    held();
    const first = Promise.all(many(2).map((next) => store.write(insert(next))));
    await vi.waitFor(() => expect(sizes()).toEqual([2]));
    expect(await store.write(insert(claimed()))).toEqual({ done: true });
    expect(sizes()).toEqual([2, 1]);
    first.catch(() => {});
  });

  it('is not waited for by as many as fill another', async () => {
    const store = open();
    held();
    Promise.all(many(2).map((next) => store.write(insert(next))));
    await vi.waitFor(() => expect(sizes()).toEqual([2]));
    const rest = many(25).map((next) => store.write(insert(next)));
    await setImmediate();
    await setImmediate();
    expect(sizes()).toEqual([2, 25]);
    await Promise.all(rest);
  });

  it('takes along what those who get its answer write at once', async () => {
    const store = open();
    const run = async (next: Claimed): Promise<void> => {
      await store.write(insert(next));
      await store.write(update(next, completion));
    };
    await Promise.all(many(10).map(run));
    expect(sizes()).toEqual([10, 10]);
  });

  it('is given up when nobody waits for it any more', async () => {
    const store = open();
    held();
    const [a, b] = [new AbortController(), new AbortController()];
    for (const { signal } of [a, b, b]) store.write(insert(claimed()), signal).catch(() => {});
    await vi.waitFor(() => expect(sizes()).toEqual([3]));
    a.abort();
    expect(signals[0]?.aborted).toBe(false);
    b.abort();
    expect(signals[0]?.aborted).toBe(true);
    await setImmediate();
    const last = store.write(insert(claimed())); // the store has not listened, and nobody waits for it
    await setImmediate();
    expect(sizes()).toEqual([3, 1]);
    await last;
  });

  it('is not written again for whoever has given it up', async () => {
    const store = open();
    const gate = Promise.withResolvers<readonly unknown[]>();
    answers.push(() => gate.promise);
    const gone = new AbortController();
    const left = store.write(insert(claimed()), gone.signal);
    const stays = store.write(insert(claimed()));
    await vi.waitFor(() => expect(sizes()).toEqual([2]));
    gone.abort();
    gate.resolve([{ failed: lasting }, { failed: lasting }]);
    await expect(left).rejects.toBe(lasting);
    await stays;
    expect(sizes()).toEqual([2, 1]);
  });
});

describe('a write that fails in a group', () => {
  const failing =
    (error: unknown, index = 0) =>
    async (send: () => Promise<readonly unknown[]>) =>
      (await send()).with(index, { failed: error } satisfies Failed);
  const writes = (store: Store, all: readonly (Claimed | Write)[]) =>
    Promise.allSettled(all.map((one) => store.write('kind' in one ? one : insert(one))));

  it('tells its caller of what may pass, and is tried again alone', async () => {
    const store = open();
    const all = many(3).map(insert);
    answers.push(failing(passing));
    expect(await writes(store, all)).toMatchObject([
      { status: 'rejected', reason: passing },
      { value: { done: true } },
      { value: { done: true } },
    ]);
    sent = [];
    await writes(store, [all[0] as Write, ...many(2)]);
    expect(sizes().sort()).toEqual([1, 2]);
  });

  it('does not keep the later writes of its record from groups', async () => {
    const store = open();
    const all = many(2);
    answers.push(async () => all.map(() => ({ failed: passing })));
    const claims = all.map(insert);
    await writes(store, claims);
    await writes(store, claims);
    sent = [];
    await writes(
      store,
      all.map((held) => update(held, completion)),
    );
    expect(sizes()).toEqual([2]);
  });

  it.each([
    ['too few answers', async () => [{ done: true }]],
    ['no reason', () => Promise.reject(undefined)],
  ])('gets an end also where a store gives %s', async (_, answer) => {
    const store = open();
    answers.push(answer);
    const [, second] = await writes(store, many(2));
    expect(second?.status).toMatch(/rejected|fulfilled/);
  });

  it('of which it takes longer to tell what was in the way keeps nobody waiting', async () => {
    const store = open();
    const late = Promise.withResolvers<unknown>();
    answers.push(async () => [late.promise, { done: true }]);
    const [a, b] = many(2) as [Claimed, Claimed];
    const slow = store.write(insert(a));
    expect(await store.write(insert(b))).toEqual({ done: true });
    late.resolve({ done: false, found: b });
    expect(await slow).toEqual({ done: false, found: b });
  });

  it('goes alone at once if it cannot pass: what is wrong may be the group', async () => {
    const store = open();
    answers.push(async () => [{ failed: lasting }, { done: true }]);
    expect(await writes(store, many(2))).toMatchObject([{ value: { done: true } }, { value: { done: true } }]);
    expect(sizes()).toEqual([2, 1]);
  });

  it('fails with all others if the request does', async () => {
    const store = open();
    const error = new IdempotencyError('STORE_UNAVAILABLE', 'no answer', { isPassing: true });
    answers.push(() => Promise.reject(error));
    expect(await writes(store, many(2))).toMatchObject([{ reason: error }, { reason: error }]);
    answers.push(() => Promise.reject(lasting));
    expect(await writes(store, many(2))).toMatchObject([{ value: { done: true } }, { value: { done: true } }]);
    expect(sizes()).toEqual([2, 2, 1, 1]);
  });

  it('is never sent if its caller has given it up before, and says so', async () => {
    const store = open();
    const gone = new AbortController();
    const write = store.write(insert(claimed()), gone.signal);
    const others = writes(store, many(2));
    gone.abort();
    await expect(write).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', isUnwritten: true });
    await others;
    expect(sizes()).toEqual([2]);
  });
});
