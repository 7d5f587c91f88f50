import { parentPort, workerData } from 'node:worker_threads';
import { mutatedCode, realCode } from './code.ts';
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
const code = await (mutant ? mutatedCode(mutant) : realCode());
makeDeterministic();
// A wrong protocol is shown by its shortest history.
parentPort?.postMessage(await explore(new World(code, programs, bounds), mutant ? 'breadth' : 'depth'));
