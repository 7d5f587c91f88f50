import { describe, expect, it } from 'vitest';
import { CHECKS, type Evidence } from './checks.ts';
import { repeatsIn } from './explain.ts';
import type { Entry } from './log.ts';
import { planOf } from './plan.ts';

const KILL = { of: 'charge-order', invocation: 2, at: 'charge', moment: 'after' } as const;

const claim = (at: number, invocation: string, attempt: number) =>
  entry(at, invocation, { kind: 'claim of a charge', attempt, leaseUntil: at + 5_000 });

function entry(at: number, invocation: string, more: Partial<Entry>): Entry {
  const answered = { at: at + 10, status: 200 };
  return { at, invocation, worker: 7, of: 'charge-order', orders: ['order-1-1'], answered, ...more };
}

/** One order, whose charge was asked for twice since a worker was killed between the charge and its record. */
function made(): Evidence {
  const item = { orderId: 'order-1-1', amount: 100 };
  return {
    plan: {
      seed: 1,
      orders: [{ key: 'order-1-1', amount: 100, sends: [{ afterMs: 0 }], duplicates: [] }],
      faults: new Map([['commit', new Map([[1, 'lose']])]]),
      kills: [KILL],
    },
    sends: { http: [{ key: 'order-1-1', status: 201, body: '{}', isRefusal: false }], duplicates: [] },
    log: {
      entries: [
        entry(0, 'a', { of: 'place-order', kind: 'commit', nth: 1, fault: 'lose', token: 't' }),
        entry(100, 'b', { of: 'relay-orders', kind: 'sending of an outbox' }),
        claim(200, 'c', 1),
        entry(220, 'c', { kind: 'charge', kill: KILL }),
        claim(6_000, 'd', 2),
        entry(6_020, 'd', { kind: 'charge' }),
        entry(6_040, 'd', { kind: 'record of a charge' }),
      ],
      kills: [{ plan: KILL, at: 231, worker: 7, invocation: 'c' }],
    },
    state: {
      orders: [item],
      outbox: [item],
      ledger: [{ ...item, chargeId: 'ch_1', requests: 2 }],
      records: [{ id: 'charge-order#1', status: 'COMPLETED' }],
      isQuiet: true,
      deadLetters: ['order-1-1'],
      resumed: [],
    },
  };
}

const failing = (evidence: Evidence): string[] =>
  Object.entries(CHECKS).flatMap(([name, check]) => (check(evidence).length > 0 ? [name] : []));

describe('the checks of a chaos run', () => {
  it('find nothing where all is well', () => {
    expect(failing(made())).toEqual([]);
  });

  const BROKEN: Readonly<Record<string, (evidence: any) => unknown>> = {
    'every order was accepted': ({ plan }) => plan.orders.push({ ...plan.orders[0], key: 'order-1-2' }),
    'every 201 of a key has the same bytes': ({ sends }) => sends.http.push({ ...sends.http[0], body: '{ }' }),
    'nobody got an answer that a fault cannot explain': ({ sends }) => sends.http.push({ key: 'k', status: 422 }),
    'every accepted order exists once, and no other': ({ state }) => state.orders.pop(),
    'every accepted order was committed once': ({ log }) => log.entries.push({ ...log.entries[0], token: 'u' }),
    'every accepted order has one row in the outbox': ({ state }) => state.outbox.pop(),
    'every row of the outbox was relayed': ({ log }) => log.entries.splice(1, 1),
    'every accepted order is charged once, and no other': ({ state }) =>
      state.ledger.push({ ...state.ledger[0], chargeId: 'ch_2' }),
    'every charge is of its order': ({ state }) => Object.assign(state.ledger[0], { amount: 200 }),
    'the log knows every request of a charge': ({ state }) => Object.assign(state.ledger[0], { requests: 3 }),
    'every repeated request of a charge is explained': ({ log }) =>
      Object.assign(log.kills[0], { invocation: 'x' }) && Object.assign(log.entries[4], { attempt: 1 }),
    'no key is stuck': ({ state }) => Object.assign(state.records[0], { status: 'IN_PROGRESS' }),
    'every dead letter is explained': ({ state }) => state.deadLetters.push('order-1-2'),
    'all came to rest in time': ({ state }) => Object.assign(state, { isQuiet: false }),
    'every kill of the plan happened': ({ plan }) => plan.kills.push({ ...KILL }),
    'every fault of the plan happened': ({ log }) => Object.assign(log.entries[0], { nth: 2 }),
  };

  it.each(Object.keys(CHECKS))('%s: fails where it is not so', (name) => {
    const evidence = made();
    BROKEN[name]?.(evidence);
    expect(failing(evidence)).toContain(name);
  });

  it('tell of a double charge', () => {
    const evidence: any = made();
    evidence.state.ledger.push({ ...evidence.state.ledger[0], chargeId: 'ch_2' });
    expect(CHECKS['every accepted order is charged once, and no other']?.(evidence)).toEqual([
      'order-1-1 is charged 2 times, not 1',
    ]);
  });
});

describe('a charge that was asked for again', () => {
  const lostRecord = entry(240, 'c', { kind: 'record of a charge', fault: 'hold', answered: undefined as never });

  it.each<[string, string | undefined, { killed: boolean; change?: (log: any) => void }]>([
    ['is explained by a kill', 'its worker was killed', { killed: true }],
    [
      'is explained by its fault',
      'its answer was lost or late',
      { killed: false, change: ({ entries }) => Object.assign(entries[3], { fault: 'lose' }) },
    ],
    [
      'is explained by the fault of its record',
      'its record was lost or late',
      { killed: false, change: ({ entries }) => entries.push(lostRecord) },
    ],
    [
      'is explained by a delay that its worker did not outlive, though it arrives last',
      'its answer was lost or late',
      {
        killed: false,
        change: ({ entries }) => Object.assign(entries[3], { fault: 5_900, answered: { at: 6_120, status: 200 } }),
      },
    ],
    ['is explained by a lease that was outlived', 'its lease was outlived', { killed: false }],
    [
      'under a live lease is not explained',
      undefined,
      { killed: false, change: ({ entries }) => Object.assign(entries[2], { leaseUntil: 9_000 }) },
    ],
    [
      'though it was on record is not explained, not even by a kill',
      undefined,
      { killed: true, change: ({ entries }) => entries.push(entry(225, 'c', { kind: 'record of a charge' })) },
    ],
  ])('%s', (_, expected, { killed, change = () => {} }) => {
    const { log } = made();
    change(log);
    const causes = repeatsIn({ ...log, kills: killed ? log.kills : [] }).map(({ cause }) => cause);
    expect(causes).toEqual([expected]);
  });
});

describe('the plan of a chaos run', () => {
  it('follows from its seed', () => {
    expect(planOf(7)).toEqual(planOf(7));
    expect(planOf(7).orders).not.toEqual(planOf(8).orders);
  });

  it('has 500 orders or more, each sent one to four times', () => {
    const { orders } = planOf(7);
    expect(orders.length).toBeGreaterThanOrEqual(500);
    expect(new Set(orders.map(({ sends }) => sends.length))).toEqual(new Set([1, 2, 3, 4]));
  });
});
