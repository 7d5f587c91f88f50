interface Timer {
  readonly due: number;
  readonly order: number;
  readonly fire: () => void;
  isOff: boolean;
}

/** Time that passes only while {@link Clock.over} waits for something. Epoch ms, and what timers see. */
export interface Clock {
  readonly now: () => number;
  /** Lets time pass until a promise has settled. */
  readonly over: <T>(work: Promise<T>) => Promise<T>;
}

const START = Date.UTC(2026, 0, 1);
const { setImmediate } = globalThis;

/** Replaces the time of this process for good. */
export function installClock(): Clock {
  const heap: Timer[] = [];
  let [now, order] = [0, 0];
  const set = (fire: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): Timer => {
    const timer = { due: now + Math.max(0, ms), order: order++, fire: () => fire(...args), isOff: false };
    push(heap, timer);
    return Object.assign(timer, { ref: () => timer, unref: () => timer, hasRef: () => true });
  };
  let off = 0;
  const clear = (timer?: Timer): void => {
    if (!timer || timer.isOff) return;
    timer.isOff = true;
    if (++off < 1_000 || off < heap.length / 2) return;
    off = 0;
    const on = heap.filter(({ isOff }) => !isOff).sort((a, b) => (isBefore(a, b) ? -1 : 1));
    heap.splice(0, heap.length, ...on); // what is sorted is a heap
  };
  Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
  Date.now = () => START + now;
  performance.now = () => now;

  return {
    now: () => now,
    async over(work) {
      let isOver = false;
      const end = (): void => {
        isOver = true;
      };
      work.then(end, end);
      while (!isOver) {
        await new Promise((resolve) => setImmediate(resolve)); // all that can happen now has happened
        if (isOver) break;
        const timer = pop(heap);
        if (!timer) throw new Error('it waits for nothing');
        timer.isOff = true;
        now = Math.max(now, timer.due);
        timer.fire();
      }
      return work;
    },
  };
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.due === b.due ? a.order < b.order : a.due < b.due;
}

function push(heap: Timer[], timer: Timer): void {
  let at = heap.push(timer) - 1;
  while (at > 0) {
    const above = (at - 1) >> 1;
    if (!isBefore(timer, heap[above] as Timer)) break;
    heap[at] = heap[above] as Timer;
    at = above;
  }
  heap[at] = timer;
}

/** The next timer that is still on. */
function pop(heap: Timer[]): Timer | undefined {
  for (;;) {
    const [first] = heap;
    const last = heap.pop();
    if (!first || !last) return undefined;
    if (heap.length > 0) sink(heap, last);
    if (!first.isOff) return first;
  }
}

function sink(heap: Timer[], timer: Timer): void {
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    if (below >= heap.length) break;
    const other = heap[below + 1];
    if (other && isBefore(other, heap[below] as Timer)) below++;
    if (!isBefore(heap[below] as Timer, timer)) break;
    heap[at] = heap[below] as Timer;
    at = below;
  }
  heap[at] = timer;
}
