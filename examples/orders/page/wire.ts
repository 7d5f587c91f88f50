import type { Retry } from 'effectively-once/client';
import { element, instance } from './elements.ts';

/** A request on the page. */
interface Line {
  readonly row: Element;
  readonly begun: number;
}

const KEPT = 50;
const counts = { clicks: 0, requests: 0, orders: new Set<string>() };
/** Of the call that is under way: there is one at a time. */
let last: { readonly attempt: number; readonly line: Line } | undefined;

export function clicked(): void {
  counts.clicks++;
  tally();
}

export function ordered(orderId: string): void {
  counts.orders.add(orderId);
  tally();
}

/** A call has begun: its first request is attempt 1. */
export function begun(): void {
  last = undefined;
}

/** A request goes out; the newest is on top. */
export function sent(key: string): Line {
  const line = { row: instance('request'), begun: performance.now() };
  last = { line, attempt: (last?.attempt ?? 0) + 1 };
  counts.requests++;
  element('.attempt', line.row).textContent = `attempt ${last.attempt}`;
  const code = element('code', line.row);
  code.textContent = key.slice(0, 8);
  code.title = `Idempotency-Key: ${key}`;
  const list = element('#requests');
  list.prepend(line.row);
  while (list.childElementCount > KEPT) list.lastElementChild?.remove();
  tally();
  return line;
}

export function answered(line: Line, { status, statusText, ok, headers }: Response): void {
  settle(line, ok ? 'ok' : 'refused', `${status} ${statusText}`.trim());
  if (headers.get('Idempotent-Replayed') === 'true') element('.replayed', line.row).hidden = false;
}

export function unanswered(line: Line, error: unknown): void {
  const wasLate = (error as Error).name === 'TimeoutError';
  settle(line, 'lost', wasLate ? 'no answer in time' : 'no answer');
}

/** For `onRetry`: what comes after the last answer. */
export function retried({ delayMs }: Retry): void {
  if (last) element('.then', last.line.row).textContent += `, again in ${Math.round(delayMs)} ms`;
}

function settle({ row, begun }: Line, kind: string, text: string): void {
  const answer = element('.answer', row);
  answer.dataset['kind'] = kind;
  answer.textContent = text;
  element('.then', row).textContent = `after ${Math.round(performance.now() - begun)} ms`;
}

function tally(): void {
  const { clicks, requests, orders } = counts;
  const all = [many(clicks, 'click'), many(requests, 'request'), many(orders.size, 'order')];
  element('#tally').textContent = all.join(' · ');
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
