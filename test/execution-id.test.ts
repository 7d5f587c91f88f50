import { type Execution, memoryStore, subscribe } from 'effectively-once';
import { memoryStore as testStore } from 'effectively-once/testing';
import { describe, expect, it } from 'vitest';
import { WAYS, type WayOptions } from './ways.ts';

describe.each(WAYS)('execution.id of $name', ({ build }) => {
  const seen = async (options: WayOptions, key: string | undefined) => {
    const told: unknown[] = [];
    const unsubscribe = subscribe((event) => void ('id' in event && told.push(event.id)));
    let given: unknown = 'the handler was not called';
    const handler = async ({ id, commit }: Execution) => {
      given = id;
      if (options.mode === 'atomic') await commit(1, []);
    };
    await build(handler, options)(key === undefined ? {} : { key });
    unsubscribe();
    return { given, told };
  };

  it.each(['claim', 'atomic'] as const)('names the record, as events do, in mode %s', async (mode) => {
    const { given, told } = await seen({ store: testStore(), mode }, 'k');
    expect(given).toMatch(/^test#/);
    expect(told).toEqual([given, given]);
  });

  it('is there without a key, and names nothing', async () => {
    const { given, told } = await seen({ store: memoryStore(), onMissingKey: 'run' }, undefined);
    expect({ given, told }).toEqual({ given: undefined, told: [] });
  });
});
