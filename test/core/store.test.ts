import { expect, it, vi } from 'vitest';
import { type Call, intercepted, type Store } from '../../src/core/store.ts';
import { claimed } from '../stores/contract.ts';
import { insert } from '../stores/writes.ts';

/** A store that knows itself, as an instance of a class does. */
class Recording implements Store {
  readonly calls: unknown[][] = [];
  readonly keepsBelow = 5;
  async write(...call: unknown[]) {
    this.calls.push(['write', ...call]);
    return { done: true } as const;
  }
  async transact(...call: unknown[]) {
    this.calls.push(['transact', ...call]);
    return { done: true } as const;
  }
  async load(...call: unknown[]) {
    this.calls.push(['load', ...call]);
    return { kind: 'value' } as const;
  }
  async read(...call: unknown[]) {
    this.calls.push(['read', ...call]);
    return undefined;
  }
  async scan(...call: unknown[]) {
    this.calls.push(['scan', ...call]);
    return { found: [], next: undefined, scanned: 0, readUnits: 0 };
  }
  async total(...call: unknown[]) {
    this.calls.push(['total', ...call]);
    return { items: 0, bytes: 0 };
  }
}

it('a store whose calls are intercepted says what is called, with the signal of its caller, and makes the call', async () => {
  const store = new Recording();
  const heard: [Call, AbortSignal | undefined][] = [];
  const { signal } = new AbortController();
  const within = new AbortController().signal;
  const wrapped = intercepted(store, (call, send, signal) => {
    heard.push([call, signal]);
    return send(within);
  }) as Required<Store>;
  const write = insert(claimed());
  const outcome = { kind: 'value' } as const;
  await wrapped.write(write, signal);
  await wrapped.transact(write, [], signal);
  await wrapped.load(outcome, 'id', signal);
  await wrapped.read('id', signal);
  const scan = { segment: 0, segments: 1, limit: 1, where: [], isWhole: false };
  await wrapped.scan(scan, signal);
  await wrapped.total(signal);
  expect(wrapped.keepsBelow).toBe(5);
  expect(heard).toEqual([
    [{ to: 'write', write }, signal],
    [{ to: 'transact', write }, signal],
    [{ to: 'load' }, signal],
    [{ to: 'read' }, signal],
    [{ to: 'scan' }, signal],
    [{ to: 'scan' }, signal],
  ]);
  expect(store.calls).toEqual([
    ['write', write, within],
    ['transact', write, [], within],
    ['load', outcome, 'id', within],
    ['read', 'id', within],
    ['scan', scan, within],
    ['total', within],
  ]);
});

it('it has what the store has, and no more', () => {
  const wrapped = intercepted({ write: vi.fn() }, (_, send) => send());
  expect(Object.keys(wrapped)).toEqual(['write']);
});
