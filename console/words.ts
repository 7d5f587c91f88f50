import type { State } from '../src/operator/state.ts';

export const NAMES: Readonly<Record<State, string>> = {
  'in-doubt': 'In doubt',
  stuck: 'Stuck',
  'in-progress': 'In progress',
  released: 'Released',
  failed: 'Failed',
  completed: 'Completed',
  expired: 'Expired',
};

const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const times = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const distance = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

export const counted = (number: number): string => numbers.format(number);

/** `1 record`, `2 records`. */
export function several(number: number, one: string, many = `${one}s`): string {
  return `${counted(number)} ${number === 1 ? one : many}`;
}

export function sized(bytes: number): string {
  if (bytes < 1_024) return several(bytes, 'byte');
  const kilo = bytes / 1_024;
  return kilo < 1_024 ? `${kilo.toFixed(1)} KB` : `${(kilo / 1_024).toFixed(1)} MB`;
}

/** `30 s`, `3 min`, `2 h`. */
export function lasting(seconds: number): string {
  if (seconds < 90) return `${counted(seconds)} s`;
  return seconds < 5_400 ? `${counted(seconds / 60)} min` : `${counted(seconds / 3_600)} h`;
}

export const atTime = (ms: number): string => times.format(ms);
export const onClock = (ms: number): string => clock.format(ms);

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** `4 minutes ago`, `in 25 seconds`. */
export function away(ms: number, now: number): string {
  const far = ms - now;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(far) >= size * 2) ?? ['second', 1_000];
  return distance.format(Math.trunc(far / size), unit);
}

/** As a sentence. */
export function sentence(text: string): string {
  const begin = text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begin) ? begin : `${begin}.`;
}
