const FULL = 500;

/** Takes tokens of an origin, or gives them back if they are fewer than none. False: there are not enough, and none was taken. */
export type Budget = (origin: string, tokens: number) => boolean;

export function budget(): Budget {
  const left = new Map<string, number>(); // of origins whose tokens are not all there
  return (origin, tokens) => {
    const rest = (left.get(origin) ?? FULL) - tokens;
    if (rest < 0) return false;
    if (rest < FULL) left.set(origin, rest);
    else left.delete(origin);
    return true;
  };
}
