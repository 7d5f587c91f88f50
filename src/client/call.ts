import type { Asked } from './asked.ts';
import type { Budget } from './budget.ts';
import { type Course, stepAfter } from './course.ts';
import { type Met, pastDeadline, withAttempts } from './failure.ts';
import { known } from './info.ts';
import { judged } from './judged.ts';
import type { Settings } from './options.ts';
import { isUndecided, type Verdict } from './verdict.ts';
import { discard, pause, within } from './within.ts';

/** What one attempt came to. */
interface Outcome extends Met {
  readonly response?: Response;
  readonly verdict: Verdict;
  /** Whatever it is, nothing is sent again. */
  readonly isFinal: boolean;
  /** Ms that the server asks to wait. */
  readonly retryAfter?: number | undefined;
}

/** Sends a request until it has its answer, or has tried all that it may. Rejects with the caller's reason when that aborts. */
export async function call(asked: Asked, settings: Settings, tokens: Budget | undefined): Promise<Response> {
  const { key, origin, signal, replayable } = asked;
  const { attempts, attemptTimeout, deadline, onRetry } = settings;
  const until = performance.now() + deadline; // no clock that jumps
  const left = (): number => until - performance.now();
  const met: Met[] = [];
  let course: Course = { tried: 0, waits: 0 };
  let spent = 0;
  let last: Response | undefined;
  try {
    for (;;) {
      const { response, verdict, retryAfter, isFinal, ...one } = await outcomeOf(
        asked,
        Math.min(attemptTimeout, left()),
      );
      if (response) discard(last);
      last = response ?? last;
      const step = isFinal ? undefined : stepAfter(verdict, course, attempts, retryAfter, Math.random());
      let isLate = left() <= (step?.delayMs ?? 1); // a timer may be that early
      if (step && !isLate && (tokens?.(origin, step.cost) ?? true)) {
        const { delayMs, cost } = step;
        met.push({ ...one, delayMs });
        const retry = { attempt: met.length, ...one, delayMs, key };
        (async () => onRetry(retry))().catch(console.warn);
        course = step;
        spent = cost || spent;
        await pause(delayMs, signal);
        isLate = left() <= 0; // where the page or the function was frozen meanwhile
        if (!isLate) continue;
      } else {
        met.push(one);
        if (last && verdict === 'answer' && !isUndecided(last.status)) tokens?.(origin, -spent || -1);
      }
      if (last) {
        known.set(last, [{ attempts: met.length, key, replayable }, verdict !== 'answer']);
        return last;
      }
      throw withAttempts(isLate ? pastDeadline(deadline, met) : one.error, met);
    }
  } catch (error) {
    discard(last);
    throw error;
  }
}

async function outcomeOf({ send, signal, replayable, isAstray }: Asked, ms: number): Promise<Outcome> {
  const until = performance.now() + ms;
  let response: Response;
  try {
    response = await within(ms, signal, send);
  } catch (error) {
    signal?.throwIfAborted();
    return { error, verdict: 'retry', isFinal: !replayable };
  }
  const [verdict, retryAfter] = await judged(response, (body) => within(until - performance.now(), signal, body));
  signal?.throwIfAborted();
  return { status: response.status, response, verdict, retryAfter, isFinal: !replayable || isAstray(response) };
}
