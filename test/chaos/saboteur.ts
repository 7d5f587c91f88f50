import { execFileSync } from 'node:child_process';
import { type Asked, type Fault, startFaultProxy } from '../../local/fault-proxy.ts';
import type { Entry, Killed, Log } from './log.ts';
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
  const doomed = new Map<Asked, Kill>();
  const kills: Killed[] = [];
  const failures: string[] = [];
  const counts = new Map<Kind, number>();
  const invocations = new Map<FunctionName, Set<string>>();
  const armed = [...plan.kills];

  const kill = (asked: Asked, by: Kill): void => {
    const worker = workerOf(asked);
    try {
      if (parentOf(worker) !== parent) throw new Error('it is none that this run started');
      process.kill(worker, 'SIGKILL');
      kills.push({ plan: by, at: Date.now(), worker, invocation: invocationOf(asked) });
    } catch (error) {
      failures.push(`worker ${worker} was not killed at its ${by.at}: ${(error as Error).message}`);
    }
  };

  /** The kill that is due at this request, if one is. */
  const due = (of: FunctionName, at: Kind, invocation: string): Kill | undefined => {
    const seen = invocations.get(of) ?? new Set();
    invocations.set(of, seen.add(invocation));
    const index = armed.findIndex((next) => next.of === of && next.at === at && next.invocation <= seen.size);
    return index < 0 ? undefined : armed.splice(index, 1)[0];
  };

  const meet = (asked: Asked): Fault | undefined => {
    const request = recognise(asked, orderOf);
    const { of, kind } = request;
    const invocation = invocationOf(asked);
    const log = (fault?: Fault): Fault | undefined => {
      entries.set(asked, { ...request, at: Date.now(), worker: workerOf(asked), invocation, fault });
      return fault;
    };
    if (!kind) return log();
    const nth = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, nth);
    const by = due(of, kind, invocation);
    if (!by) return log(plan.faults.get(kind)?.get(nth));
    if (by.moment === 'before') {
      log('hold');
      kill(asked, by);
      return 'hold';
    }
    doomed.set(asked, by);
    return log('mute');
  };

  const applied = (asked: Asked, status: number): void => {
    const entry = entries.get(asked);
    if (entry) entry.answered = { at: Date.now(), status };
    const by = doomed.get(asked);
    if (by) kill(asked, by);
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
      failures,
    },
  };
}

function parentOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'ppid=', '-p', `${pid}`], { encoding: 'utf8' }));
}
