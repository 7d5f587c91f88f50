import type { Order } from './cart.ts';

/** In the storage of the tab: an order, since when, and the intention that it is of. */
const PENDING = 'shop:pending';
/** In the storage of all tabs: the intention that they are at. */
const INTENTION = 'shop:intention';

/** Ms: after that its customer may have changed their mind, and later the server has forgotten its key. */
const LONGEST = 3_600_000;

/** The order that this tab has begun and knows no outcome of, also after a reload. */
export const pending = {
  /** One that is sent again is as old as it was. */
  set(order: Order): void {
    const at = pending.isDue(order) ? kept().at : Date.now();
    quietly(() => sessionStorage.setItem(PENDING, JSON.stringify({ order, at, intention: intention() })));
  },
  /** Whether to send it again unasked: it is this one, it is not old, and no tab has started anew since. */
  isDue(order: Order): boolean {
    const { at, intention: then } = kept();
    return isOf(order) && then === intention() && Date.now() - at < LONGEST;
  },
  clear(order: Order): void {
    if (isOf(order)) quietly(() => sessionStorage.removeItem(PENDING));
  },
  startAnew(): void {
    quietly(() => localStorage.setItem(INTENTION, `${Date.now()}`));
    quietly(() => sessionStorage.removeItem(PENDING));
  },
};

function kept() {
  return quietly(() => JSON.parse(sessionStorage.getItem(PENDING) ?? '{}')) ?? {};
}

function isOf(order: Order): boolean {
  return JSON.stringify(kept().order) === JSON.stringify(order);
}

function intention(): string {
  return quietly(() => localStorage.getItem(INTENTION)) ?? '';
}

/** Without storage a page that was reloaded resumes nothing; the next click does. */
function quietly<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}
