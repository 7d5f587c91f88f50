import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { codeOf } from './code.ts';
import { CONFIGURATIONS } from './configurations.ts';
import { makeDeterministic } from './deterministic.ts';
import type { Report, Violation } from './explore.ts';
import { movesOf } from './moves.ts';
import { MUTANTS } from './mutants.ts';
import type { Job } from './worker.ts';
import { World } from './world.ts';

const { values } = parseArgs({
  options: {
    configuration: { type: 'string' },
    schedule: { type: 'string' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
  },
});

const started = performance.now();
if (values.schedule) await replay(values.configuration, values.schedule.split(',').map(Number), values.mutant);
else {
  const held = values.mutants ? 0 : await exploreAll();
  const caught = values.configuration ? 0 : await catchAll();
  const failed = (values.mutants ? 0 : chosen().length - held) + (values.configuration ? 0 : MUTANTS.length - caught);
  console.log(
    `\n  Tests  ${failed > 0 ? `${failed} failed | ` : ''}${held + caught} passed (${secondsSince(started)} s)`,
  );
  process.exitCode = failed > 0 ? 1 : 0;
}

function chosen() {
  return CONFIGURATIONS.filter(({ name }) => !values.configuration || name === values.configuration);
}

/** How many configurations hold. */
async function exploreAll(): Promise<number> {
  console.log(row('configuration', 'states', 'moves', 'ends', 'depth', 'time'));
  const sum = { states: 0, moves: 0, ends: 0 };
  let held = 0;
  await all(
    chosen().map(({ name }) => ({ configuration: name })),
    ({ configuration }, report, seconds) => {
      const { states, moves, ends, depth, violation } = report;
      sum.states += states;
      sum.moves += moves;
      sum.ends += ends;
      console.log(row(configuration, states, moves, ends, depth, `${seconds} s`));
      if (violation) show(configuration, violation);
      else held++;
    },
  );
  console.log(row('in all', sum.states, sum.moves, sum.ends, '', `${secondsSince(started)} s`));
  return held;
}

/** How many wrong protocols are caught. */
async function catchAll(): Promise<number> {
  console.log(`\nWrong protocols, and what shows it:`);
  const caught = new Set<string>();
  const jobs = MUTANTS.map(({ name, in: configuration }) => ({ configuration, mutant: name }));
  await all(jobs, ({ configuration, mutant = '' }, { violation, states }, seconds) => {
    console.log(`\n${violation ? 'caught' : 'MISSED'}: ${mutant} (${configuration}, ${states} states, ${seconds} s)`);
    if (!violation) return;
    caught.add(mutant);
    show(configuration, violation, mutant);
  });
  return caught.size;
}

function show(configuration: string, { invariant, what, history, schedule }: Violation, mutant?: string): void {
  console.log(`  ${invariant}\n  But ${what}:`);
  for (const line of history) console.log(`    ${line}`);
  const code = mutant ? ` --mutant '${mutant}'` : '';
  console.log(`  npm run test:explore -- --configuration '${configuration}'${code} --schedule ${schedule}`);
}

async function all(jobs: Job[], done: (job: Job, report: Report, seconds: string) => void): Promise<void> {
  const queue = [...jobs];
  const work = async (): Promise<void> => {
    for (let job = queue.shift(); job; job = queue.shift()) {
      const began = performance.now();
      done(job, await run(job), secondsSince(began));
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), jobs.length) }, work));
}

// A worker for each: what one has seen is gone with it.
function run(job: Job): Promise<Report> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: 4_000 },
    });
    worker.once('message', resolve).once('error', reject);
  });
}

async function replay(
  name: string | undefined,
  schedule: readonly number[],
  mutant: string | undefined,
): Promise<void> {
  const configuration = CONFIGURATIONS.find((one) => one.name === name);
  if (!configuration) throw new Error(`there is no configuration "${name}"`);
  const wrong = MUTANTS.find((one) => one.name === mutant);
  if (mutant && !wrong) throw new Error(`there is no mutant "${mutant}"`);
  const code = await codeOf(wrong);
  makeDeterministic();
  const world = new World(code, configuration.programs, configuration.bounds);
  let state = world.initial();
  for (const choice of schedule) {
    const move = movesOf(world, state)[choice];
    if (!move) throw new Error(`there is no move ${choice}`);
    state = await move.make();
    console.log(`${state.time} s  ${move.label}`);
    for (const { record } of Object.values(state.keys)) console.log(`       ${JSON.stringify(record?.record)}`);
  }
}

function row(name: string, ...cells: readonly (string | number)[]): string {
  return name.padEnd(50) + cells.map((cell) => cell.toLocaleString('en').padStart(12)).join('');
}

function secondsSince(time: number): string {
  return ((performance.now() - time) / 1000).toFixed(1);
}
