import { isPlaced, type Sends } from './customers.ts';
import { hindranceOf, repeatsIn } from './explain.ts';
import { isApplied, type Log, placesOf } from './log.ts';
import type { Plan } from './plan.ts';
import { isInProgress, type State } from './settle.ts';
import type { Checks } from './verdict.ts';

/** All that is known of a run when it is over. */
export interface Evidence {
  readonly plan: Plan;
  readonly sends: Sends;
  readonly log: Log;
  readonly state: State;
}

export const CHECKS: Checks<Evidence> = {
  'every order was accepted': ({ plan, sends }) => {
    const accepted = acceptedIn(sends);
    return plan.orders.filter(({ key }) => !accepted.has(key)).map(({ key }) => `${key} never got a 201`);
  },

  'every 201 of a key has the same bytes': ({ sends }) => {
    const bodies = Map.groupBy(sends.http.filter(isPlaced), ({ key }) => key);
    return [...bodies]
      .filter(([, sent]) => new Set(sent.map(({ body }) => body)).size > 1)
      .map(([key, sent]) => `${key} was answered ${sent.map(({ body }) => body).join(' and ')}`);
  },

  'nobody got an answer that a fault cannot explain': ({ sends }) =>
    sends.http
      .filter(({ status, isRefusal }) => typeof status === 'number' && !isExpected(status, isRefusal))
      .map(({ key, status, body }) => `${key} was answered ${status} ${body}`),

  'every accepted order exists once, and no other': ({ plan, sends, state }) => {
    const amounts = new Map(plan.orders.map(({ key, amount }) => [key, amount]));
    return deviations(acceptedIn(sends).keys(), state.orders, 'exists', (item) => {
      const amount = amounts.get(item['orderId']);
      return item['amount'] === amount ? undefined : `is of ${item['amount']}, not of ${amount}`;
    });
  },

  'every accepted order was committed once': ({ sends, log }) => {
    const commits = log.entries.filter((entry) => entry.kind === 'commit' && isApplied(entry));
    const once = new Map(commits.map((entry) => [entry.token, { orderId: entry.orders[0] }]));
    return deviations(acceptedIn(sends).keys(), [...once.values()], 'is committed');
  },

  'every accepted order has one row in the outbox': ({ sends, state }) =>
    deviations(acceptedIn(sends).keys(), state.outbox, 'is in the outbox'),

  'every row of the outbox was relayed': ({ state, log }) => {
    const sent = log.entries.filter((entry) => entry.kind === 'sending of an outbox' && isApplied(entry));
    const relayed = new Set(sent.flatMap(({ orders }) => orders));
    return state.outbox
      .filter(({ orderId }) => !relayed.has(orderId))
      .map(({ orderId }) => `${orderId} was not relayed`);
  },

  'every accepted order is charged once, and no other': ({ sends, state }) =>
    deviations(acceptedIn(sends).keys(), state.ledger, 'is charged'),

  'every charge is of its order': ({ plan, state }) => {
    const amounts = new Map(plan.orders.map(({ key, amount }) => [key, amount]));
    return state.ledger
      .filter(({ orderId, amount }) => amounts.get(orderId) !== amount)
      .map(({ orderId, amount }) => `${orderId} was charged ${amount}, not ${amounts.get(orderId)}`);
  },

  'the log knows every request of a charge': ({ state, log }) => {
    const charges = log.entries.filter((entry) => entry.kind === 'charge' && isApplied(entry));
    const logged = Map.groupBy(charges, ({ orders: [order] }) => order);
    return state.ledger
      .filter(({ orderId, requests }) => (logged.get(orderId)?.length ?? 0) !== requests)
      .map(({ orderId, requests }) => `${orderId} was asked for ${requests} times, by the log not`);
  },

  'every repeated request of a charge is explained': ({ log }) =>
    repeatsIn(log)
      .filter(({ cause }) => cause === undefined)
      .map(({ order }) => `the charge of ${order} was asked for again, and nothing explains it`),

  'no key is stuck': ({ state }) =>
    state.records.filter(isInProgress).map(({ id }) => `${id} is in progress, though it was asked for again`),

  'every dead letter is explained': ({ state, log }) =>
    state.deadLetters
      .filter((order) => hindranceOf(log, order) === undefined)
      .map((order) => `nothing explains the dead letter of ${order}`),

  'all came to rest in time': ({ state }) => (state.isQuiet ? [] : ['there was still work to do at the end']),

  'every kill of the plan happened': ({ plan, log }) => {
    const done = new Set(log.kills.map(({ plan }) => plan));
    return plan.kills
      .filter((kill) => !done.has(kill))
      .map(({ of, invocation, at }) => `no worker of ${of} was killed at a ${at} from invocation ${invocation} on`);
  },

  'every fault of the plan happened': ({ plan, log }) => {
    const struck = log.entries.filter(({ fault, kill }) => fault !== undefined || kill !== undefined);
    const places = new Set(struck.flatMap((entry) => placesOf(entry).map((nth) => `${entry.kind} ${nth}`)));
    return [...plan.faults].flatMap(([kind, faults]) =>
      [...faults.keys()].filter((nth) => !places.has(`${kind} ${nth}`)).map((nth) => `the ${kind} ${nth} never came`),
    );
  },
};

/** The orders that were accepted, each with its answer. */
export function acceptedIn({ http }: Sends): Map<string, string> {
  return new Map(http.filter(isPlaced).map(({ key, body }) => [key, body]));
}

/** A refusal that asks to come again, or what a gateway says of a function that died or failed. */
function isExpected(status: number, isRefusal: boolean): boolean {
  return isRefusal ? [409, 503].includes(status) : status === 201 || status >= 500;
}

/** Where the items are not one for each order. */
function deviations(
  orders: Iterable<string>,
  items: readonly Record<string, any>[],
  what: string,
  wrong: (item: Record<string, any>) => string | undefined = () => undefined,
): string[] {
  const expected = new Set(orders);
  const found = Map.groupBy(items, ({ orderId }) => String(orderId));
  const all = new Set([...expected, ...found.keys()]);
  return [...all].flatMap((order) => {
    const mine = found.get(order) ?? [];
    const times = expected.has(order) ? 1 : 0;
    if (mine.length !== times) return [`${order} ${what} ${mine.length} times, not ${times}`];
    return mine.flatMap((item) => wrong(item) ?? []).map((how) => `${order} ${how}`);
  });
}
