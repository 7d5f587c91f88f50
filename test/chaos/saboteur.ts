import { spawnSync } from 'node:child_process';
import { type Asked, type Fault, startFaultProxy } from '../../local/fault-proxy.ts';
import { type Entry, type Killed, type Log, placesOf } from './log.ts';
import type { Kill, Plan } from './plan.ts';
import { type FunctionName, invocationOf, type Kind, recognise, workerOf } from './requests.ts';

export interface Saboteur {
  /** Where the functions must send what they ask of AWS. */
  readonly endpoint: string;
  readonly log: Log;
  readonly stop: () => Promise<void>;
}

/** Plays the faults and kills of a plan on whatever the functions ask for, and keeps a log of it all. */
export async function startSaboteur(options: {
  readonly plan: Plan;
  /** The real AWS. */
  readonly upstream: string;
  /** The process whose children may be killed, and no others. */
  readonly parent: number;
  readonly orderOf: (record: string) => string | undefined;
}): Promise<Saboteur> {
  const { plan, upstream, parent, orderOf } = options;
  const entries = new Map<Asked, Entry>();
  const kills: Killed[] = [];
  const doomed = new Set<string>();
  const counts = new Map<Kind, number>();
  const invocations = new Map<FunctionName, Set<string>>();
  const armed = [...plan.kills];

  const kill = (asked: Asked, by: Kill): void => {
    const worker = workerOf(asked);
    if (parentOf(worker) !== parent) {
      armed.push(by); // it has timed out just now: another will do
      return;
    }
    process.kill(worker, 'SIGKILL');
    kills.push({ plan: by, at: Date.now(), worker, invocation: invocationOf(asked) });
  };

  /** The kill that is due at this request, if one is. */
  const due = (of: FunctionName, at: Kind, invocation: string): Kill | undefined => {
    const seen = invocations.get(of) ?? new Set();
    invocations.set(of, seen.add(invocation));
    if (doomed.has(invocation)) return undefined; // a batch asks for much at once, and dies once
    const index = armed.findIndex((next) => next.of === of && next.at === at && next.invocation <= seen.size);
    const [next] = index < 0 ? [] : armed.splice(index, 1);
    if (next) doomed.add(invocation);
    return next;
  };

  const meet = (asked: Asked): Fault | undefined => {
    const request = recognise(asked, orderOf);
    const { of, kind } = request;
    const invocation = invocationOf(asked);
    const met = { ...request, invocation, worker: workerOf(asked), at: Date.now() };
    if (!kind) {
      entries.set(asked, met);
      return undefined;
    }
    const nth = (counts.get(kind) ?? 0) + 1;
    const all = placesOf({ nth, ...request });
    counts.set(kind, nth + all.length - 1);
    const by = due(of, kind, invocation);
    const fault = by
      ? undefined
      : all.map((place) => plan.faults.get(kind)?.get(place)).find((one) => one !== undefined);
    entries.set(asked, { ...met, nth, fault, kill: by });
    if (!by) return fault;
    if (by.moment === 'after') return 'mute';
    kill(asked, by);
    return 'hold';
  };

  const applied = (asked: Asked, status: number): void => {
    const entry = entries.get(asked);
    if (!entry) return;
    entry.answered = { at: Date.now(), status };
    if (entry.kill) kill(asked, entry.kill);
  };

  const proxy = await startFaultProxy(upstream, meet, applied);
  return {
    endpoint: proxy.endpoint,
    stop: proxy.stop,
    log: {
      get entries() {
        return [...entries.values()];
      },
      kills,
    },
  };
}

/** `undefined`: there is no such process. */
function parentOf(pid: number): number | undefined {
  const { stdout, error } = spawnSync('ps', ['-o', 'ppid=', '-p', `${pid}`], { encoding: 'utf8' });
  if (error) throw error;
  return stdout.trim() === '' ? undefined : Number(stdout);
}
