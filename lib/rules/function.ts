import { atLeast, type Rule } from './rule.ts';

/** A function that runs the runtime; durations in seconds. */
export interface FunctionFacts {
  /** As Lambda names it: `nodejs24.x`. */
  readonly runtime?: string;
  readonly timeout?: number;
  /** What the environment says of the timeout. */
  readonly functionTimeout?: number;
  readonly retention?: number;
  readonly maxEventAge?: number;
}

const LEAST_NODE = 22;

export const FUNCTION_RULES: readonly Rule<FunctionFacts>[] = [
  {
    id: 'runtime',
    judge: ({ runtime }) =>
      runtime === undefined || Number(/^nodejs(\d+)\.x$/.exec(runtime)?.[1]) >= LEAST_NODE
        ? undefined
        : `\`runtime\` is ${runtime}; expected nodejs${LEAST_NODE}.x or later`,
  },
  {
    id: 'function-timeout',
    judge: ({ timeout, functionTimeout }) =>
      timeout === undefined || functionTimeout === undefined || timeout === functionTimeout
        ? undefined
        : `\`IDEMPOTENCY_FUNCTION_TIMEOUT\` is ${functionTimeout}; expected ${timeout} s, the timeout of the function`,
  },
  atLeast('retention', [
    'retention',
    ({ maxEventAge }) => maxEventAge,
    's, `maxEventAge`: Lambda may try an asynchronous event again until then',
  ]),
];
