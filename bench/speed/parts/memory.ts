import { setTimeout as sleep } from 'node:timers/promises';
import { freshKey } from '../../events.ts';
import { used } from '../../heap.ts';
import { CLIENTS } from '../clients.ts';
import type { Options } from '../part.ts';
import { shuffled } from '../rounds.ts';
import { comparison, type Table } from '../table.ts';
import { bare, ours, powertools, validating } from '../ways/index.ts';
import { type Run, type Setting, setting, type Way } from '../ways/way.ts';

/** Heap that one call in flight and one cached outcome hold. */
export async function* measure({ rounds }: Options): AsyncGenerator<Table> {
  const several = Math.ceil(rounds / 3);
  const inFlight = await measured([bare, powertools, validating, ours], 'a call in flight', several, heldByCalls);
  yield comparison('Heap of a call in flight', 'bytes', inFlight);
  const cached = [];
  for (const bytes of [100, 1_000, 10_000]) {
    const held = (way: Way): Promise<number> => heldByOutcomes(way, bytes);
    cached.push(...(await measured([powertools, validating, ours], `of ${bytes} bytes`, several, held)));
  }
  yield comparison('Heap of a cached outcome', 'bytes', cached);
}

async function measured(ways: readonly Way[], group: string, rounds: number, held: (way: Way) => Promise<number>) {
  const all = ways.map((way) => ({ way, group, name: way.name, samples: [] as number[] }));
  for (let round = -1; round < rounds; round++) {
    for (const { way, samples } of shuffled(all)) {
      const bytes = await held(way);
      if (round >= 0) samples.push(bytes);
    }
  }
  return all.map(({ way, ...samples }) => samples);
}

const CALLS = 2_000;

async function heldByCalls(way: Way): Promise<number> {
  const parked: ((response: unknown) => void)[] = [];
  const run = opened(way, { respond: () => new Promise((resolve) => parked.push(resolve)) });
  const before = await used();
  const calls = Array.from({ length: CALLS }, () => run(freshKey()));
  while (parked.length < CALLS) await sleep(5);
  const after = await used();
  for (const resume of parked) resume({ statusCode: 200 });
  await Promise.all(calls);
  return (after - before) / CALLS;
}

const OUTCOMES = 2_000;

async function heldByOutcomes(way: Way, bytes: number): Promise<number> {
  let serial = 0;
  // By way of bytes: a text that is padded shares its parts.
  const text = (): string => Buffer.from(`${serial++}`.padEnd(bytes, 'abcdefghij')).toString();
  const respond = (): unknown => ({ statusCode: 200, body: text() });
  const run = opened(way, { cache: true, respond });
  await run(freshKey());
  const before = await used();
  for (let time = 0; time < OUTCOMES; time++) await run(freshKey());
  const after = await used();
  await run(freshKey()); // or the cache would be gone by then
  return (after - before) / OUTCOMES;
}

function opened(way: Way, more: Partial<Setting>): Run {
  return way.doors.handler?.(setting(CLIENTS.silent(), more)) as Run;
}
