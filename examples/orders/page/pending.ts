import type { Order } from './cart.ts';

const PLACE = 'shop:pending';

/** The order that this tab has begun and knows no outcome of, also after a reload. */
export const pending = {
  set(order: Order): void {
    write(JSON.stringify(order));
  },
  is(order: Order): boolean {
    return read() === JSON.stringify(order);
  },
  /** Of this order, or whatever it is. */
  clear(order?: Order): void {
    if (!order || this.is(order)) write('');
  },
};

function read(): string {
  try {
    return sessionStorage.getItem(PLACE) ?? '';
  } catch {
    return '';
  }
}

function write(text: string): void {
  try {
    sessionStorage.setItem(PLACE, text);
  } catch {
    // Without storage a page that was reloaded resumes nothing; the next click does.
  }
}
