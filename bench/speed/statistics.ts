/** The middle of some samples, and the middle half of them. */
export interface Spread {
  readonly median: number;
  readonly quartiles: readonly [number, number];
}

export function spread(samples: readonly number[]): Spread {
  return { median: quantile(samples, 0.5), quartiles: [quantile(samples, 0.25), quantile(samples, 0.75)] };
}

export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place % 1);
}

/** Sample by sample, as those of one round saw the same machine. */
export function pairwise(
  samples: readonly number[],
  base: readonly number[],
  compare: (sample: number, base: number) => number,
): Spread {
  return spread(samples.map((sample, index) => compare(sample, base[index] ?? Number.NaN)));
}
