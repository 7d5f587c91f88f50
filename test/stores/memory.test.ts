import { expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { claimed, testStore } from './contract.ts';
import { insert, update } from './writes.ts';

testStore('memory', memoryStore);

it('judges each of several writes alone', async () => {
  const store = memoryStore();
  const [first, second] = [claimed(), claimed()];
  const step = { kind: 'step', name: 'charge', outcome: { kind: 'value', body: '1' } } as const;
  await store.write(insert(first));
  const writes = [insert(first), insert(second), update(first, step), update(claimed(), step)];
  expect(await store.writeAll?.(writes)).toEqual([
    { done: false, found: first },
    { done: true },
    { done: true },
    { done: false, found: undefined },
  ]);
});
