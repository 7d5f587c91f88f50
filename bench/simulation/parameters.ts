const GUIDE = 'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide';

/** What the simulation takes for true. */
export const ASSUMED = {
  /** Write units a second of one partition, which is also the most for one key. */
  partition: 1_000,
  /** Write units a second that a new on-demand table serves at once. */
  newTable: 4_000,
  /** Write units a second of one table, unless AWS raises the quota of the account. */
  quota: 40_000,
  /** Minutes after which an on-demand table serves twice its former peak. */
  doublesIn: 30,
  /** Seconds of unused capacity that a provisioned table may save up. */
  burst: 300,
  /** Ms for a request that is answered. */
  request: 5,
  /** Ms that an invocation has. */
  invocation: 10_000,
  /** Ms that a handler works. */
  handler: 100,
  /** Records of an SQS batch. */
  batch: 10,
  /** Statements of one group. */
  group: 25,
  /** Keys of the skewed load. */
  keys: 100_000,
  /** Storms on one key, each on its own partition, to see how often the run of one fails. */
  storms: 10,
  /** Seconds in which callers arrive; then those that are still there are waited for. */
  seconds: 10,
} as const;

/** Rows of a table: what, how much, who says so. */
export const SOURCES: readonly (readonly [what: string, value: number, unit: string, source: string])[] = [
  ['a partition, and a key', ASSUMED.partition, 'write units a second', `[AWS](${GUIDE}/bp-partition-key-design.html)`],
  ['a new on-demand table', ASSUMED.newTable, 'write units a second', `[AWS](${GUIDE}/on-demand-capacity-mode.html)`],
  ['a table, unless the quota is raised', ASSUMED.quota, 'write units a second', `[AWS](${GUIDE}/ServiceQuotas.html)`],
  [
    'to serve twice the former peak',
    ASSUMED.doublesIn,
    'minutes',
    `[AWS](${GUIDE}/on-demand-capacity-mode.html); often sooner`,
  ],
  [
    'burst, of provisioned tables alone',
    ASSUMED.burst,
    'seconds',
    `[AWS](${GUIDE}/burst-adaptive-capacity.html); not above 1,000 units a partition`,
  ],
  ['a request', ASSUMED.request, 'ms', 'assumed'],
  ['the time that an invocation has', ASSUMED.invocation, 'ms', 'assumed'],
  ['a handler', ASSUMED.handler, 'ms', 'assumed, unless the load says otherwise'],
  ['keys of the skewed load', ASSUMED.keys, 'keys', 'assumed; the nth is asked for about 1/n as often as the first'],
  [
    'statements of a group',
    ASSUMED.group,
    'statements',
    `[AWS](${GUIDE}/ql-reference.multiplestatements.batching.html)`,
  ],
];

/** One load on one table. Rates are of callers, one key each. */
export interface Scenario {
  readonly name: string;
  /** Callers a second. */
  readonly rate: number;
  /** Each its own key; all the same; or a few far more often than most. */
  readonly keys: 'new' | 'one' | 'skewed';
  /** Write units a second that the table can serve at once. */
  readonly serves: number;
  readonly quota?: number;
  readonly onConflict?: 'reject' | 'wait';
  readonly cache?: boolean;
  /** Callers come in SQS batches, each in one process. */
  readonly inBatches?: boolean;
  readonly group?: boolean;
  /** Ms, or from and to. */
  readonly handler?: number | readonly [number, number];
  /** Of callers that come again with a key that was answered. */
  readonly duplicates?: number;
  /** Write units a second that each partition of a provisioned table has; it may save up what it does not use. */
  readonly provisioned?: number;
}
