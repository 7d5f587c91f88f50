import { parentPort } from 'node:worker_threads';
import { randomOf } from '../random.ts';
import { installClock } from './clock.ts';
import { done, type Job } from './jobs.ts';

/** Does the jobs that it is sent, one after the other. */
process.on('warning', () => {}); // runs without a key warn
const clock = installClock();
parentPort?.on('message', async (job: Job) => {
  const random = randomOf(job.seed);
  Math.random = random;
  parentPort?.postMessage(await done(job, clock, random));
});
