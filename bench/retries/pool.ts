import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Job, Phase } from './jobs.ts';

/** What became of each job, in their order. As many are done at once as there are processors. */
export async function allDone(jobs: readonly Job[]): Promise<readonly (readonly Phase[])[]> {
  const results: (readonly Phase[])[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    const worker = new Worker(new URL('worker.ts', import.meta.url));
    try {
      while (next < jobs.length) {
        const at = next++;
        results[at] = await new Promise((resolve, reject) => {
          worker.once('message', resolve).once('error', reject);
          worker.postMessage(jobs[at]);
        });
        worker.removeAllListeners('error');
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs.length, availableParallelism()) }, lane));
  return results;
}
