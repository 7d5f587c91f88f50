import type { Asked } from './asked.ts';
import type { Budget } from './budget.ts';
import { type Course, stepAfter } from './course.ts';
import { type Met, pastDeadline, withAttempts } from './failure.ts';
import { remember } from './info.ts';
import { judged } from './judged.ts';
import type { Retry, Settings } from './options.ts';
import { isUndecided, type Verdict } from './verdict.ts';
import { discard, pause, within } from './within.ts';

/** What one attempt came to. */
interface Outcome extends Met {
  readonly response?: Response;
  readonly verdict: Verdict;
  /** Ms that the server asks to wait. */
  readonly retryAfter?: number | undefined;
}

/** Sends a request until it has its answer, or has tried all that it may. Rejects with the caller's reason when that aborts. */
export async function call(asked: Asked, settings: Settings, tokens: Budget | undefined): Promise<Response> {
  const { key, origin, signal, replayable } = asked;
  const { attempts, attemptTimeout, deadline, onRetry } = settings;
  const until = performance.now() + deadline; // no clock that jumps
  const met: Met[] = [];
  let course: Course = { tried: 0, waits: 0 };
  let spent = 0;
  let last: Response | undefined;
  try {
    for (;;) {
      const outcome = await outcomeOf(asked, Math.min(attemptTimeout, until - performance.now()));
      const { response, verdict, retryAfter, ...one } = outcome;
      if (response) discard(last);
      last = response ?? last;
      const left = until - performance.now();
      const step = stepAfter(verdict, course, attempts, retryAfter, Math.random());
      const isLate = step ? step.delayMs >= left : left < 1; // a timer may be that early
      if (!step || isLate || !(tokens?.(origin, step.cost) ?? true)) {
        met.push(one);
        if (last && verdict === 'answer' && !isUndecided(last.status)) tokens?.(origin, -spent || -1);
        if (last) return remember(last, { attempts: met.length, key, replayable });
        throw withAttempts(isLate ? pastDeadline(deadline, met) : one.error, met);
      }
      const { delayMs, cost } = step;
      met.push({ ...one, delayMs });
      tell(onRetry, { attempt: met.length, ...one, delayMs, key });
      course = step;
      spent = cost || spent;
      await pause(delayMs, signal);
    }
  } catch (error) {
    discard(last);
    throw error;
  }
}

const ANSWER = ['answer'] as const;

async function outcomeOf({ send, signal, replayable, isAstray }: Asked, ms: number): Promise<Outcome> {
  let response: Response;
  try {
    response = await within(ms, signal, send);
  } catch (error) {
    signal?.throwIfAborted();
    return { error, verdict: replayable ? 'retry' : 'answer' };
  }
  const { status } = response;
  const isFinal = status < 400 || !replayable || isAstray(response);
  const [verdict, retryAfter] = isFinal ? ANSWER : await judged(response, (body) => within(ms, signal, body));
  signal?.throwIfAborted();
  return { status, response, verdict, retryAfter };
}

/** Tells whoever listens, and goes on whatever comes of it. */
async function tell(onRetry: Settings['onRetry'], retry: Retry): Promise<void> {
  try {
    await onRetry(retry);
  } catch (error) {
    console.warn(error);
  }
}
