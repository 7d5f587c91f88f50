import { type Asked, type Fault, startFaultProxy } from '../../local/fault-proxy.ts';
import { recordId } from '../../src/core/identity.ts';
import { type Kill, keyOf, type Plan } from './plan.ts';

export interface Saboteur {
  /** Where the consumers must send what they ask of DynamoDB. */
  readonly endpoint: string;
  /** Is asked before each checkpoint: whether the consumer is to die there. */
  readonly isFatal: () => boolean;
  /** The kills that happened. */
  readonly kills: readonly Kill[];
  /** Requests that were throttled, by the key of their event. */
  readonly throttled: ReadonlyMap<string, number>;
  readonly stop: () => Promise<void>;
}

/** The operation of the example. */
export const SCOPE = 'record-trip';

/** Longer than a claim is tried, so that the record fails and comes again. */
const THROTTLED_MS = 2_500;

/** Plays the kills and faults of a plan on what the consumers ask of DynamoDB. `kill` says whether there was a consumer to kill. */
export async function startSaboteur(options: {
  readonly plan: Plan;
  readonly upstream: string;
  /** The table that every commit writes to. */
  readonly ledger: string;
  readonly kill: () => boolean;
}): Promise<Saboteur> {
  const { plan, upstream, ledger, kill } = options;
  const armed = [...plan.kills];
  const kills: Kill[] = [];
  const dying = new Map<Asked, Kill>();
  const { throttle, throttled } = throttlingOf(plan);
  let commits = 0;

  const die = (by: Kill): boolean => {
    const [first] = armed;
    if (first !== by || !kill()) return false;
    armed.shift();
    kills.push(by);
    return true;
  };

  const meet = (asked: Asked): Fault | undefined => {
    const fault = throttle(asked);
    if (fault || !isCommit(asked, ledger)) return fault;
    commits++;
    const [next] = armed;
    if (!next || next.commit > commits) return undefined;
    if (next.moment === 'before a commit') return die(next) ? 'hold' : undefined;
    if (next.moment === 'after a commit' && dying.size === 0) {
      dying.set(asked, next);
      return 'mute';
    }
    return undefined;
  };

  const proxy = await startFaultProxy(upstream, meet, (asked, status) => {
    const by = dying.get(asked);
    dying.delete(asked);
    if (by && status === 200) die(by); // one that was refused was not applied: another will do
  });
  return {
    endpoint: proxy.endpoint,
    isFatal: () => {
      const [next] = armed;
      return next?.moment === 'before a checkpoint' && next.commit <= commits && die(next);
    },
    kills,
    throttled,
    stop: proxy.stop,
  };
}

/** Refuses what is asked for the throttled events of a plan, for a while from the first request on. */
function throttlingOf(
  plan: Plan,
): Pick<Saboteur, 'throttled'> & { readonly throttle: (asked: Asked) => Fault | undefined } {
  const ids = new Map(plan.throttled.map((event) => [recordId(SCOPE, [], undefined, keyOf(event)), keyOf(event)]));
  const until = new Map<string, number>();
  const throttled = new Map<string, number>();
  const throttle = ({ body }: Asked): Fault | undefined => {
    let fault: Fault | undefined;
    for (const [id, key] of ids) {
      if (!body.includes(id)) continue;
      const end = until.get(key) ?? Date.now() + THROTTLED_MS;
      until.set(key, end);
      if (Date.now() > end) continue;
      throttled.set(key, (throttled.get(key) ?? 0) + 1);
      fault = 'throttle';
    }
    return fault;
  };
  return { throttle, throttled };
}

function isCommit({ operation, body }: Asked, ledger: string): boolean {
  return operation === 'TransactWriteItems' && body.includes(`"${ledger}"`);
}
