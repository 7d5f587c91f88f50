const PRODUCTS = [
  { id: 'beans', name: 'Yirgacheffe', detail: 'coffee beans, 250 g', cents: 1_450 },
  { id: 'filters', name: 'Paper filters', detail: 'box of 100', cents: 490 },
  { id: 'grinder', name: 'Hand grinder', detail: 'steel burrs', cents: 5_900 },
] as const;

/** How many of each product. */
export type Cart = Readonly<Record<string, number>>;

/** What `POST /orders` takes. */
export interface Order {
  readonly item: string;
  /** In cents. */
  readonly amount: number;
}

const FIRST: Cart = { beans: 2, filters: 1 };
const MOST = 99;
const PLACE = 'shop:cart';

/** The cart of this browser, in all of its tabs. */
export function keptCart(): Cart {
  try {
    return JSON.parse(localStorage.getItem(PLACE) ?? '') ?? FIRST;
  } catch {
    return FIRST; // there is none, or storage is denied
  }
}

export function keepCart(cart: Cart): void {
  try {
    localStorage.setItem(PLACE, JSON.stringify(cart));
  } catch {
    // Storage is full or denied: it lives as long as the page.
  }
}

export function withMore(cart: Cart, id: string, more: number): Cart {
  return { ...cart, [id]: Math.min(MOST, Math.max(0, (cart[id] ?? 0) + more)) };
}

export function linesOf(cart: Cart) {
  return PRODUCTS.map((product) => ({ ...product, count: cart[product.id] ?? 0 }));
}

/** A cart is the same order however it came about: its lines are in the order of the shop. */
export function orderOf(cart: Cart): Order {
  const lines = linesOf(cart).filter(({ count }) => count > 0);
  return {
    item: lines.map(({ count, name }) => `${count} × ${name}`).join(', '),
    amount: lines.reduce((sum, { count, cents }) => sum + count * cents, 0),
  };
}
