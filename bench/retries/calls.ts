import { retrying } from '../../src/client/index.ts';
import type { Server } from './server.ts';

/** What became of calls. */
export interface Tally {
  calls: number;
  succeeded: number;
  requests: number;
  /** Calls that failed with attempts left: the budget had no tokens. */
  refused: number;
  /** Calls that succeeded with other than one effect, and others with more than one. */
  doubled: number;
}

const ORIGIN = 'https://api.example.com';

export function tally(): Tally {
  return { calls: 0, succeeded: 0, requests: 0, refused: 0, doubled: 0 };
}

type Send = typeof globalThis.fetch;

export function clientOf(server: Server, attempts: number, budget: boolean): Send {
  return retrying(server.fetch, { origins: [ORIGIN], attempts, budget, deadline: '10m' });
}

/** Places an order, and counts what becomes of it. */
export async function counted(
  counts: Tally,
  server: Server,
  attempts: number,
  name: string,
  send: Send,
): Promise<void> {
  const isDone = await send(`${ORIGIN}/orders`, { method: 'POST', body: name }).then(
    ({ ok }) => ok,
    () => false,
  );
  const sent = server.sent(name);
  const effects = server.effects.get(name) ?? 0;
  counts.calls++;
  counts.requests += sent;
  if (isDone) counts.succeeded++;
  else if (sent < attempts) counts.refused++;
  if (isDone ? effects !== 1 : effects > 1) counts.doubled++;
}
