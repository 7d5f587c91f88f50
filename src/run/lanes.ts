import type { BatchSource } from '../sources/batch/source.ts';

/** Records that run one after the other. */
export interface Lane<R> {
  readonly records: readonly R[];
  /** Nobody can tell which lane it is. */
  readonly fault?: unknown;
}

/** The records by lane. Those received most often begin first: otherwise one could be dead-lettered without ever having begun. */
export function lanesOf<R>(
  records: readonly R[],
  source: BatchSource<R>,
  laneOf: (record: R) => unknown = source.lane,
): readonly Lane<R>[] {
  const faulty: Lane<R>[] = [];
  const lanes = new Map<unknown, R[]>();
  for (const record of records) {
    try {
      const name = nameOf(laneOf(record)) ?? record;
      const lane = lanes.get(name);
      if (lane) lane.push(record);
      else lanes.set(name, [record]);
    } catch (fault) {
      faulty.push({ records: [record], fault });
    }
  }
  const urgent = Array.from(lanes.values(), (lane) => ({ records: lane, urgency: urgencyOf(lane, source) }));
  return [...faulty, ...urgent.sort((a, b) => b.urgency - a.urgency)];
}

function nameOf(lane: unknown): string | undefined {
  if (lane === undefined || lane === null) return undefined;
  if (typeof lane === 'string' || typeof lane === 'number' || typeof lane === 'bigint') return String(lane);
  if (lane instanceof Promise) lane.catch(() => {}); // nobody waits for it
  throw new TypeError('the option `lane` must give a text, or undefined');
}

// Of those that came again together, another is first every time.
function urgencyOf<R>([first]: readonly R[], { received }: BatchSource<R>): number {
  const times = received(first as R);
  return times > 1 ? times + Math.random() : times;
}

/** Works on so many items at once. */
export async function pooled<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
