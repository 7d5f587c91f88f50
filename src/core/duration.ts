import { IdempotencyError } from './errors.ts';

type Unit = 'ms' | 's' | 'm' | 'h' | 'd';

/** Milliseconds, or a whole number with a unit: `'30s'`, `'15m'`, `'24h'`, `'30d'`. */
export type Duration = number | `${number}${Unit}`;

/** Ms: the longest that a Node timer takes; a longer one it fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

const MS: Record<Unit, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** In ms. Throws `CONFIG_INVALID` naming the option. */
export function durationOf(option: string, value: Duration): number {
  const text = /^(\d+)(ms|s|m|h|d)$/.exec(String(value));
  const ms = typeof value === 'number' ? value : Number(text?.[1]) * MS[text?.[2] as Unit];
  if (Number.isSafeInteger(ms) && ms >= 0) return ms;
  throw new IdempotencyError(
    'CONFIG_INVALID',
    `\`${option}\` is ${typeof value === 'string' ? `'${value}'` : String(value)}; expected ms, or a duration such as '30s', '15m', '24h'`,
  );
}

/** In epoch seconds, rounded up, what is in epoch ms. */
export function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
