/** Numbers that look random and follow from a seed, the same on every machine. */
export interface Random {
  /** A whole number from `least` to `most`. */
  readonly whole: (least: number, most: number) => number;
  readonly chance: (probability: number) => boolean;
  /** `count` different whole numbers from `least` to `most`, rising. */
  readonly places: (count: number, least: number, most: number) => number[];
}

/** Mulberry32. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    whole,
    chance: (probability) => next() < probability,
    places: (count, least, most) => {
      const chosen = new Set<number>();
      while (chosen.size < count) chosen.add(whole(least, most));
      return [...chosen].sort((a, b) => a - b);
    },
  };
}
