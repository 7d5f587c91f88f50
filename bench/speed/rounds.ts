import type { Samples } from './table.ts';

/** Something that is done many times a round. */
export interface Subject {
  readonly group: string;
  readonly name: string;
  /** How often in a round. */
  readonly times: number;
  readonly go: () => Promise<unknown>;
}

export interface Measured {
  readonly cpu: readonly Samples[];
  readonly wall: readonly Samples[];
}

const WARM_UP = 3;

/**
 * All subjects in each round, in an order that changes: µs of CPU and of time that each takes for one. CPU is that of the whole
 * process, with what compiles and collects garbage meanwhile, as a Lambda function pays for it. The first rounds warm up.
 */
export async function interleaved(subjects: readonly Subject[], rounds: number): Promise<Measured> {
  const measured = subjects.map(({ group, name }) => ({ group, name, cpu: [] as number[], wall: [] as number[] }));
  for (let round = -WARM_UP; round < rounds; round++) {
    globalThis.gc?.();
    for (const index of shuffled(subjects.keys())) {
      const { cpu, wall } = await timed(subjects[index] as Subject);
      if (round < 0) continue;
      measured[index]?.cpu.push(cpu);
      measured[index]?.wall.push(wall);
    }
  }
  return {
    cpu: measured.map(({ cpu, ...one }) => ({ ...one, samples: cpu })),
    wall: measured.map(({ wall, ...one }) => ({ ...one, samples: wall })),
  };
}

async function timed({ go, times }: Subject): Promise<{ cpu: number; wall: number }> {
  const used = process.cpuUsage();
  const from = performance.now();
  for (let time = 0; time < times; time++) await go();
  const wall = (performance.now() - from) * 1_000;
  const { user, system } = process.cpuUsage(used);
  return { cpu: (user + system) / times, wall: wall / times };
}

export function shuffled<T>(values: Iterable<T>): T[] {
  return Array.from(values, (value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
