import { ASSUMED } from './parameters.ts';

/** Units that come one by one at a rate, and are saved up for some seconds. Times in ms. */
interface Bucket {
  readonly has: (now: number) => boolean;
  readonly take: () => void;
}

function bucket(rate: number, phase: number, seconds = 1): Bucket {
  const most = Math.max(1, rate * seconds);
  let level = most - phase; // full, and the next unit comes at any time
  let at = 0;
  return {
    has(now) {
      level = Math.min(most, level + ((now - at) * rate) / 1_000);
      at = now;
      return level >= 1;
    },
    take: () => {
      level -= 1;
    },
  };
}

export type Refusal = 'partition' | 'table' | 'quota';

export interface Table {
  /** Undefined: it was written. */
  readonly write: (partition: number, now: number) => Refusal | undefined;
}

interface Shape {
  /** How many have buckets of their own. */
  readonly partitions: number;
  /** Units that the rest of the table serves. */
  readonly rest: number;
  readonly quota: number;
  readonly provisioned?: number | undefined;
}

/** `scale`: the part of the load, and so of all capacity, that is simulated. */
export function tableOf({ partitions, rest, quota, provisioned }: Shape, scale: number, random: () => number): Table {
  const filled = (rate: number, seconds?: number): Bucket => bucket(rate * scale, random(), seconds);
  const all = filled(quota);
  const own = Array.from({ length: partitions }, () => [
    filled(ASSUMED.partition),
    ...(provisioned === undefined ? [] : [filled(provisioned, ASSUMED.burst)]),
  ]);
  const others = [filled(rest)];
  return {
    write(partition, now) {
      const buckets = own[partition] ?? others;
      if (!all.has(now)) return 'quota';
      if (!buckets.every((one) => one.has(now))) return buckets === others ? 'table' : 'partition';
      for (const one of [all, ...buckets]) one.take();
      return undefined;
    },
  };
}
