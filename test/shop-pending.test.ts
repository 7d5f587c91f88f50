import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { pending } from '../examples/orders/page/pending.ts';

const ORDER = { item: '1 × book', amount: 1_000 };
const MINUTE = 60_000;

const storage = () => {
  const items = new Map<string, string>();
  return {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => void items.set(name, value),
    removeItem: (name: string) => void items.delete(name),
  };
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.stubGlobal('sessionStorage', storage());
  vi.stubGlobal('localStorage', storage());
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('an order without an outcome is sent again for an hour since its click, however often it was sent again', () => {
  pending.set(ORDER);
  for (let sent = 0; sent < 6; sent++) {
    vi.setSystemTime(Date.now() + 9 * MINUTE);
    expect(pending.isDue(ORDER)).toBe(true);
    pending.set(ORDER);
  }
  vi.setSystemTime(Date.now() + 9 * MINUTE);
  expect(pending.isDue(ORDER)).toBe(false);
  pending.set(ORDER); // a click
  expect(pending.isDue(ORDER)).toBe(true);
});

it('not if it is another, has its outcome, or a tab has started anew since', () => {
  pending.set(ORDER);
  expect(pending.isDue({ ...ORDER, amount: 900 })).toBe(false);
  pending.clear(ORDER);
  expect(pending.isDue(ORDER)).toBe(false);
  pending.set(ORDER);
  const ofThisTab = sessionStorage;
  vi.stubGlobal('sessionStorage', storage());
  pending.startAnew();
  vi.stubGlobal('sessionStorage', ofThisTab);
  expect(pending.isDue(ORDER)).toBe(false);
});

it('nor where storage is denied', () => {
  for (const name of ['sessionStorage', 'localStorage']) vi.stubGlobal(name, undefined);
  pending.set(ORDER);
  pending.clear(ORDER);
  pending.startAnew();
  expect(pending.isDue(ORDER)).toBe(false);
});
