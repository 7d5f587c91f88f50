import { createHash, randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Change, Claimed, Completed, IdempotencyRecord, Outcome } from '../../src/core/record.ts';
import type { Found, Scan, Store } from '../../src/core/store.ts';
import { insert, replace, update } from './writes.ts';

const NOW = 1_800_000_000_000;

/** The store by writes that never go alone: each comes with the claim of another record. */
export function accompanied(store: Store): Store {
  return {
    ...store,
    write: async (write, signal) => {
      const [written] = await Promise.all([store.write(write, signal), store.write(insert(claimed()))]);
      return written;
    },
  };
}

/** What every store promises. `open` gives a new one, empty. */
export function testStore(name: string, open: () => Promise<Store> | Store): void {
  describe(`the store contract: ${name}`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });

    const outcome = { kind: 'value', body: '1' } as const;
    const completion = { kind: 'complete', outcome, completedAt: NOW, expiresAt: 9 } as const;
    const completed = { status: 'COMPLETED', outcome, completedAt: NOW, expiresAt: 9 } as const;
    const step = { kind: 'step', name: 'charge', outcome } as const;
    const release = { kind: 'release', expiresAt: 9 } as const;
    const extension = { kind: 'extend', leaseUntil: NOW + 9_000, expiresAt: 9 } as const;
    const surrender = { kind: 'end', leaseUntil: NOW - 9_000, expiresAt: 9 } as const;
    const changes: [string, Change, (held: Claimed) => IdempotencyRecord][] = [
      [
        'completes',
        completion,
        ({ leaseUntil, steps, ...held }) => ({ ...held, ...completed, version: held.version + 1 }),
      ],
      ['releases', release, ({ leaseUntil, owner, ...held }) => ({ ...held, expiresAt: 9, version: held.version + 1 })],
      ['records a step', step, (held) => ({ ...held, steps: { charge: outcome }, version: held.version + 1 })],
      [
        'surrenders',
        surrender,
        (held) => ({ ...held, leaseUntil: NOW - 9_000, expiresAt: 9, version: held.version + 1 }),
      ],
      ['extends', extension, (held) => ({ ...held, leaseUntil: NOW + 9_000, expiresAt: 9, version: held.version + 1 })],
    ];

    /** The record, by way of a write that must lose against it. */
    const read = async (id: string): Promise<IdempotencyRecord | undefined> => {
      const written = await store.write(replace(claimed({ id, version: -1 }), claimed({ id })));
      if (written.done) throw new Error('replaced what was not seen');
      return written.found;
    };

    it('hands out every record to a scan, once, with what it says in clear', async () => {
      const held = Array.from({ length: 20 }, () => claimed({ steps: { charge: outcome } }));
      for (const record of held) await store.write(insert(record));
      const [first] = held as [Claimed];
      await store.write(update(first, completion));
      const found = await scannedOf(store, { where: [], isWhole: false });
      for (const { id, identity } of held) {
        const those = found.filter((one) => one.id === id);
        expect(those).toMatchObject([{ kind: 'record', record: { id, identity, attempt: 1 } }]);
      }
      const whole = await scannedOf(store, { where: [], isWhole: true });
      expect(whole.find(({ id }) => id === first.id)).toMatchObject({
        record: { status: 'COMPLETED', outcome },
        bytes: expect.any(Number),
      });
    });

    it('hands out to a scan what is sought', async () => {
      const held = claimed({ id: `sought#${crypto.randomUUID()}` });
      await store.write(insert(held));
      const where = [[{ path: 'id', is: 'begins', value: 'sought#' }]] as const;
      const found = await scannedOf(store, { where, isWhole: false });
      expect(found.map(({ id }) => id)).toContain(held.id);
    });

    it('inserts where no record has the id, and keeps every attribute', async () => {
      const record = claimed({ fingerprint: 'f' });
      expect(await store.write(insert(record))).toEqual({ done: true });
      expect(await read(record.id)).toEqual(record);
    });

    it('hands back the record in the way of an insert', async () => {
      const first = claimed();
      await store.write(insert(first));
      expect(await store.write(insert(claimed({ id: first.id })))).toEqual({ done: false, found: first });
    });

    it('lets one of many concurrent inserts win', async () => {
      const { id } = claimed();
      const written = await Promise.all(Array.from({ length: 20 }, () => store.write(insert(claimed({ id })))));
      expect(written.filter(({ done }) => done)).toHaveLength(1);
    });

    it('replaces the record that was seen', async () => {
      const seen = claimed();
      const next = claimed({ id: seen.id, version: 2, attempt: 2 });
      await store.write(insert(seen));
      expect(await store.write(replace(seen, next))).toEqual({ done: true });
      expect(await read(seen.id)).toEqual(next);
    });

    it('lets one of many concurrent replaces win', async () => {
      const seen = claimed();
      await store.write(insert(seen));
      const replaces = Array.from({ length: 20 }, () =>
        store.write(replace(seen, claimed({ id: seen.id, version: 2 }))),
      );
      expect((await Promise.all(replaces)).filter(({ done }) => done)).toHaveLength(1);
    });

    it('does not replace a record that was changed since', async () => {
      const seen = claimed();
      await store.write(insert(seen));
      await store.write(update(seen, extension));
      const { leaseUntil, expiresAt } = extension;
      const found = { ...seen, leaseUntil, expiresAt, version: 2 };
      expect(await store.write(replace(seen, claimed({ id: seen.id })))).toEqual({ done: false, found });
    });

    it('does not replace another record that has the same id and version', async () => {
      const found = claimed({ claimedAt: NOW + 1 });
      await store.write(insert(found));
      expect(await store.write(replace(claimed({ id: found.id }), claimed({ id: found.id })))).toEqual({
        done: false,
        found,
      });
    });

    it('replaces nothing where the record is gone', async () => {
      const seen = claimed();
      expect(await store.write(replace(seen, claimed({ id: seen.id })))).toEqual({ done: false, found: undefined });
      expect(await read(seen.id)).toBeUndefined();
    });

    it.each(changes)(
      '%s for the owner, raises the version and leaves nothing of the old state',
      async (_, change, after) => {
        const held = claimed({ fingerprint: 'f' });
        await store.write(insert(held));
        expect(await store.write(update(held, change))).toEqual({ done: true });
        expect(await read(held.id)).toEqual(after(held));
      },
    );

    it.each(changes)('never %s for another owner', async (_, change) => {
      const found = claimed();
      await store.write(insert(found));
      expect(await store.write(update({ ...found, owner: 'another' }, change))).toEqual({ done: false, found });
      expect(await read(found.id)).toEqual(found);
    });

    it.each(changes)('never %s what is completed', async (_, change) => {
      const held = claimed();
      await store.write(insert(held));
      await store.write(update(held, completion));
      const { leaseUntil, steps, ...rest } = held;
      const found = { ...rest, ...completed, version: 2 };
      expect(await store.write(update(held, change))).toEqual({ done: false, found });
    });

    it.each(changes)('never %s what is released', async (_, change) => {
      const held = claimed();
      await store.write(insert(held));
      await store.write(update(held, release));
      const { leaseUntil, owner, ...rest } = held;
      expect(await store.write(update(held, change))).toEqual({
        done: false,
        found: { ...rest, expiresAt: 9, version: 2 },
      });
    });

    it.each(changes)('never %s what is gone, and creates nothing', async (_, change) => {
      const held = claimed();
      expect(await store.write(update(held, change))).toEqual({ done: false, found: undefined });
      expect(await read(held.id)).toBeUndefined();
    });

    it('reads the record as it is', async () => {
      const held = claimed();
      await store.write(insert(held));
      await store.write(update(held, extension));
      expect(await store.read?.(held.id)).toEqual(await read(held.id));
      expect(await store.read?.('nowhere')).toBeUndefined();
    });

    it("keeps the owner's changes apart from the version it saw, so that they may come in any order", async () => {
      const held = claimed();
      await store.write(insert(held));
      await Promise.all([store.write(update(held, extension)), store.write(update(held, extension))]);
      expect(await store.write(update(held, completion))).toEqual({ done: true });
      expect(await read(held.id)).toMatchObject({ status: 'COMPLETED', version: 4 });
    });

    it('never moves a lease back', async () => {
      const held = claimed();
      await store.write(insert(held));
      const late = { kind: 'extend', leaseUntil: held.leaseUntil - 1, expiresAt: 9 } as const;
      expect(await store.write(update(held, late))).toEqual({ done: false, found: held });
      expect(await store.write(update(held, { ...late, leaseUntil: held.leaseUntil }))).toEqual({ done: true });
    });

    it('keeps steps of any name, side by side', async () => {
      const held = claimed();
      const names = ['a', 'a.b', '#a', ':a', 'ü', 'steps', '__proto__x', ' '];
      await store.write(insert(held));
      await Promise.all(
        names.map((name) => store.write(update(held, { kind: 'step', name, outcome: { kind: 'value', body: name } }))),
      );
      const steps = Object.fromEntries(names.map((name) => [name, { kind: 'value', body: name }]));
      expect(await read(held.id)).toMatchObject({ steps, version: 1 + names.length });
      await store.write(update(held, release));
      expect(await read(held.id)).toMatchObject({ steps });
    });

    it.each([
      { kind: 'value' },
      { kind: 'value', body: '' },
      { kind: 'value', body: '"ü€😀"' },
      { kind: 'value', body: '1', error: { name: 'Declined', message: 'no' } },
      { kind: 'error', error: { name: 'Declined', message: 'no' } },
      { kind: 'error', error: { name: '', message: '', status: 4.5, statusCode: 0 }, body: '{"own":{}}' },
      { kind: 'unavailable', body: 'why' },
      { kind: 'value', body: Uint8Array.of(0, 255), codec: 'v8' },
    ] as const)('keeps the outcome %o as it is', async (outcome) => {
      const held = claimed();
      await store.write(insert(held));
      await store.write(update(held, { ...completion, outcome }));
      expect(await read(held.id)).toMatchObject({ outcome });
      expect(((await read(held.id)) as { outcome: object }).outcome).toEqual(outcome);
    });

    it.each([
      ['text', 'x'.repeat(5_000)],
      ['long text', 'x'.repeat(5_000_000)],
      ['text that cannot be compressed', randomBytes(300_000).toString('base64')],
      ['bytes that cannot be compressed', randomBytes(6_000_000)],
    ])('hands out outcomes of any size, of records and steps, when they are loaded: %s', async (_, body) => {
      const held = claimed();
      const outcome = { kind: 'value', body, codec: 'c' } as const;
      const loaded = async (found: Outcome | undefined): Promise<object> => {
        const { body, ...rest } = (found && store.load ? await store.load(found, held.id) : found) as typeof outcome;
        return { ...rest, body: sha256(body) };
      };
      const whole = { kind: 'value', codec: 'c', body: sha256(body) };
      await store.write(insert(held));
      await store.write(update(held, { kind: 'step', name: 'one', outcome }));
      const inProgress = (await read(held.id)) as Claimed;
      expect(await loaded(inProgress.steps['one'])).toEqual(whole);
      const taker = claimed({ id: held.id, steps: inProgress.steps, version: 3 });
      await store.write(replace(inProgress, taker));
      expect(await loaded(((await read(held.id)) as Claimed).steps['one'])).toEqual(whole);
      await store.write(update(taker, { ...completion, outcome }));
      for (let time = 0; time < 2; time++) {
        expect(await loaded(((await read(held.id)) as Completed).outcome)).toEqual(whole);
      }
    });
  });
}

/** All that a scan finds, by a page at a time of a segment at a time. */
async function scannedOf(store: Store, scan: Omit<Scan, 'segment' | 'segments' | 'limit' | 'after'>): Promise<Found[]> {
  const all: Found[] = [];
  for (const segment of [0, 1]) {
    let after: string | undefined;
    do {
      const limit = after === undefined ? 7 : 1_000;
      const page = await store.scan?.({ ...scan, segment, segments: 2, after, limit });
      all.push(...(page?.found ?? []));
      after = page?.next;
    } while (after !== undefined);
  }
  return all;
}

// Vitest compares millions of bytes one by one.
function sha256(body: string | Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

export function claimed(record: Partial<Claimed> = {}): Claimed {
  return {
    id: `id-${crypto.randomUUID()}`,
    status: 'IN_PROGRESS',
    steps: {},
    version: 1,
    owner: crypto.randomUUID(),
    attempt: 1,
    identity: { key: 'order-1', operation: 'POST /orders', principal: 'alice', cut: 'principal' },
    leaseUntil: NOW + 1_000,
    claimedAt: NOW,
    expiresAt: NOW / 1_000 + 60,
    ...record,
  };
}
