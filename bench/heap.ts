import { setTimeout } from 'node:timers/promises';

/** Bytes of the heap, and of what lies beside it, after collections; needs `--expose-gc`. */
export async function used(): Promise<number> {
  for (let time = 0; time < 5; time++) {
    await setTimeout(10); // memory is freed in the background
    globalThis.gc?.();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
