import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type IdempotencyEvent, memoryStore, runOnce } from 'effectively-once';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { publish } from '../src/core/events.ts';

const events: IdempotencyEvent[] = [];
const listen = (event: unknown) => events.push(event as IdempotencyEvent);
beforeEach(() => subscribe('effectively-once', listen));
afterEach(() => {
  unsubscribe('effectively-once', listen);
  events.length = 0;
});

it('tells every outcome, and never a key, payload or value', async () => {
  const store = memoryStore();
  const options = { store, scope: 'charge', key: 'secret-key', payload: 'secret-payload', lease: '1s' } as const;
  await runOnce(options, () => 'secret-value');
  await runOnce(options, () => 'never');
  await runOnce({ ...options, payload: 'other' }, () => 'never').catch(() => {});
  await runOnce({ ...options, key: 'k2' }, async () => {
    await runOnce({ ...options, key: 'k2' }, () => 'never').catch(() => {});
    throw new Error('no');
  }).catch(() => {});
  await runOnce({ ...options, key: 'k2' }, () => 'at last');
  expect(events.map(({ type }) => type)).toEqual([
    'acquired',
    'completed',
    'replayed',
    'mismatch',
    'acquired',
    'conflict',
    'released',
    'takeover',
    'completed',
  ]);
  expect(events[0]).toEqual({
    type: 'acquired',
    scope: 'charge',
    id: expect.stringMatching(/^charge#/),
    attempt: 1,
    at: expect.any(Number),
  });
  expect(JSON.stringify(events)).not.toContain('secret');
});

it('tells an error where there was one, and nothing of it elsewhere', () => {
  const about = { scope: 'charge', id: 'charge#1', attempt: 2 };
  const error = new Error('away');
  publish('release-failed', about, error);
  publish('released', about);
  const at = expect.any(Number);
  expect(events).toStrictEqual([
    { type: 'release-failed', ...about, at, error },
    { type: 'released', ...about, at },
  ]);
});

it('costs nothing when nobody listens', () => {
  unsubscribe('effectively-once', listen);
  const now = vi.spyOn(Date, 'now');
  publish('acquired', { scope: 'charge', id: 'charge#1' });
  expect(now).not.toHaveBeenCalled();
  now.mockRestore();
});
