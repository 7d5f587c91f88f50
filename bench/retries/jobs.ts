import { clientOf, counted, type Tally, tally } from './calls.ts';
import type { Clock } from './clock.ts';
import { serverIn } from './server.ts';

/** One part of the bench; the same in every run, wherever it is done. */
export type Job = { readonly seed: number; readonly attempts: number; readonly budget: boolean } & (
  | { readonly kind: 'sequence'; readonly p: number; readonly calls: number; readonly isKeyLost?: boolean }
  | { readonly kind: 'burst'; readonly p: number; readonly size: number; readonly times: number }
  | {
      readonly kind: 'outage';
      readonly perSecond: number;
      readonly from: number;
      readonly to: number;
      readonly end: number;
    }
);

export interface Phase extends Tally {
  readonly name: string;
}

const LATENCY = 20;

export async function done(job: Job, clock: Clock, random: () => number): Promise<readonly Phase[]> {
  switch (job.kind) {
    case 'sequence':
      return [await sequence(job, clock, random)];
    case 'burst':
      return [await bursts(job, clock, random)];
    case 'outage':
      return outage(job, clock, random);
  }
}

/** One call after the other. */
async function sequence(job: Job & { kind: 'sequence' }, clock: Clock, random: () => number): Promise<Phase> {
  const counts = tally();
  const server = serverIn({ random, failing: () => job.p, isKeyLost: job.isKeyLost ?? false });
  const send = clientOf(server, job.attempts, job.budget);
  for (let call = 0; call < job.calls; call++) {
    if (call % 1_000 === 0) server.reset();
    await clock.over(counted(counts, server, job.attempts, `order ${call}`, send));
  }
  return { name: 'all', ...counts };
}

/** So many calls at once, again and again, each time by a client with a full budget. */
async function bursts(job: Job & { kind: 'burst' }, clock: Clock, random: () => number): Promise<Phase> {
  const counts = tally();
  for (let time = 0; time < job.times; time++) {
    const server = serverIn({ random, failing: () => job.p, latency: LATENCY });
    const send = clientOf(server, job.attempts, job.budget);
    const calls = Array.from({ length: job.size }, (_, call) =>
      counted(counts, server, job.attempts, `order ${call}`, send),
    );
    await clock.over(Promise.all(calls));
  }
  return { name: 'all', ...counts };
}

/** Calls come at a rate. From one second to another all requests fail, before and after that 1 %. */
async function outage(job: Job & { kind: 'outage' }, clock: Clock, random: () => number): Promise<readonly Phase[]> {
  const { perSecond, from, to, end } = job;
  const begun = clock.now();
  const second = (): number => (clock.now() - begun) / 1_000;
  const isOut = (): boolean => second() >= from && second() < to;
  const server = serverIn({ random, failing: () => (isOut() ? 1 : 0.01), latency: LATENCY });
  const send = clientOf(server, job.attempts, job.budget);
  const phases = ['before', 'outage', 'after'].map((name) => ({ name, ...tally() }));
  const calls: Promise<void>[] = [];
  for (let call = 0; call < end * perSecond; call++) {
    await clock.over(new Promise((resolve) => setTimeout(resolve, 1_000 / perSecond)));
    const phase = phases[isOut() ? 1 : second() < from ? 0 : 2] as Phase;
    calls.push(counted(phase, server, job.attempts, `order ${call}`, send));
  }
  await clock.over(Promise.all(calls));
  return phases;
}
