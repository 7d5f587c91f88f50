import { setTimeout as sleep } from 'node:timers/promises';
import type { Shop, Table } from './shop.ts';

/** What is there when all is over. */
export interface State extends Readonly<Record<Table, readonly Record<string, any>[]>> {
  /** Whether everything came to rest in time: nothing in the queue, nobody at work. */
  readonly isQuiet: boolean;
  /** Orders whose message went to the dead-letter queue, from where it was sent again. */
  readonly deadLetters: readonly string[];
  /** Records that were left without an outcome, and asked for again. */
  readonly resumed: readonly string[];
}

const ROUNDS = 3;

/** Waits until all is quiet, and has what was left behind tried again, as an operator or a patient client would. */
export async function settle(
  shop: Shop,
  known: { readonly orderOf: (record: string) => string | undefined; readonly accepted: ReadonlyMap<string, string> },
  retry: (order: string) => Promise<unknown>,
  deadline: number,
): Promise<State> {
  const deadLetters: string[] = [];
  const resumed: string[] = [];
  let isQuiet = false;
  for (let round = 0; round < ROUNDS && Date.now() < deadline; round++) {
    isQuiet = await untilQuiet(shop, known.accepted, deadline);
    const dead = await shop.deadLetters();
    const left = (await shop.read('records')).filter(isInProgress).map(({ id }) => String(id));
    if (dead.length + left.length === 0) break;
    for (const body of dead) {
      deadLetters.push(JSON.parse(body).orderId);
      await shop.send(body);
    }
    for (const id of left) {
      const order = known.orderOf(id) ?? '';
      const body = known.accepted.get(order);
      resumed.push(id);
      if (!id.startsWith('charge-order#')) await retry(order);
      else if (body !== undefined) await shop.send(body);
    }
    isQuiet = false;
  }
  const tables = ['orders', 'outbox', 'ledger', 'records'] as const;
  const [orders = [], outbox = [], ledger = [], records = []] = await Promise.all(tables.map(shop.read));
  return { orders, outbox, ledger, records, isQuiet, deadLetters, resumed };
}

/** Epoch ms of a lease's end; a released record has none. */
function isLive({ status, leaseUntil = 0 }: Record<string, any>): boolean {
  return status === 'IN_PROGRESS' && Number(leaseUntil) > Date.now();
}

export function isInProgress({ status }: Record<string, any>): boolean {
  return status === 'IN_PROGRESS';
}

async function untilQuiet(shop: Shop, accepted: ReadonlyMap<string, unknown>, deadline: number): Promise<boolean> {
  while (Date.now() < deadline) {
    const queued = await shop.queued();
    const [charges, records] = await Promise.all([shop.read('ledger'), shop.read('records')]);
    const charged = new Set(charges.map(({ orderId }) => orderId));
    const isDone = queued === 0 && accepted.size <= charged.size && !records.some(isLive);
    if (isDone) return true;
    await sleep(500);
  }
  return false;
}
