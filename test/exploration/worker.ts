import { parentPort, workerData } from 'node:worker_threads';
import { codeOf } from './code.ts';
import { CONFIGURATIONS, type Configuration } from './configurations.ts';
import { makeDeterministic } from './deterministic.ts';
import { explore } from './explore.ts';
import { MUTANTS } from './mutants.ts';
import { World } from './world.ts';

export interface Job {
  readonly configuration: string;
  /** Absent: the real code. */
  readonly mutant?: string;
}

const job: Job = workerData;
const mutant = MUTANTS.find(({ name }) => name === job.mutant);
const { programs, bounds } = CONFIGURATIONS.find(({ name }) => name === job.configuration) as Configuration;
const code = await codeOf(mutant);
makeDeterministic();
const world = (): World => new World(code, programs, bounds);
const report = await explore(world(), mutant ? 'breadth' : 'depth', mutant?.breaks);
// What is wrong is shown by its shortest history.
const shortest = report.violation && !mutant ? await explore(world(), 'breadth') : report;
parentPort?.postMessage(shortest);
