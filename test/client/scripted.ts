import { afterEach, beforeEach, vi } from 'vitest';

/** What a scripted server does with a request: answers with a status, with more, fails, or does what it likes. */
export type Reaction =
  | number
  | Error
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown }
  | ((request: Request, signal: AbortSignal) => Response | Promise<Response>);

export interface Scripted {
  readonly fetch: typeof globalThis.fetch;
  /** As they came, their bodies unread. */
  readonly requests: Request[];
  /** When they came, in ms from the first. */
  readonly times: () => number[];
  readonly keys: () => (string | null)[];
  /** The answers that were given. */
  readonly answers: Response[];
}

/** A server that reacts to each request as its script says, and to all further ones as to the last. */
export function scripted(...script: readonly Reaction[]): Scripted {
  const requests: Request[] = [];
  const answers: Response[] = [];
  const came: number[] = [];
  return {
    requests,
    answers,
    times: () => came.map((at) => at - (came[0] ?? 0)),
    keys: () => requests.map(({ headers }) => headers.get('idempotency-key')),
    async fetch(input, init) {
      const request = new Request(input, init);
      const signal = init?.signal as AbortSignal;
      requests.push(request);
      came.push(performance.now());
      const answer = await react(script[requests.length - 1] ?? script.at(-1) ?? 200, request, signal);
      answers.push(answer);
      return answer;
    },
  };
}

function react(reaction: Reaction, request: Request, signal: AbortSignal): Response | Promise<Response> {
  if (reaction instanceof Error) throw reaction;
  if (typeof reaction === 'function') return reaction(request, signal);
  const { status, headers = {}, body } = typeof reaction === 'number' ? { status: reaction } : reaction;
  return body === undefined ? new Response(`${status}`, { status, headers }) : Response.json(body, { status, headers });
}

/** Never answers, and heeds its signal. */
export const hangs: Reaction = (_, signal) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

/** To be called where tests are declared: time stands still but for {@link over}, and chance is always the same. */
export function virtualTime(random = 0.5): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
    vi.spyOn(Math, 'random').mockReturnValue(random);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
}

/** Lets time pass until a call is over. */
export async function over<T>(call: Promise<T>): Promise<T> {
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  call.then(end, end);
  for (let timers = 0; !isOver && timers < 10_000; timers++) {
    await new Promise(setImmediate);
    if (!isOver) await vi.advanceTimersToNextTimerAsync();
  }
  return call;
}

/** The error that a call ends with. */
export async function failureOf(call: Promise<unknown>): Promise<any> {
  return over(call).then(
    (value) => Promise.reject(new Error('it did not fail', { cause: value })),
    (error) => error,
  );
}

export const API = 'https://api.example.com';
export const ORDERS = `${API}/orders`;
export const POST = { method: 'POST', body: '{"item":"book"}', headers: { 'content-type': 'application/json' } };
