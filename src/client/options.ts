/** Milliseconds, or a whole number with a unit: `'500ms'`, `'10s'`, `'2m'`, `'1h'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`;

/** What `onRetry` is told before a request is sent again. */
export interface Retry {
  /** How many requests have been sent. */
  readonly attempt: number;
  readonly delayMs: number;
  /** Of the answer, or else there is `error`. */
  readonly status?: number;
  readonly error?: unknown;
  readonly key: string | undefined;
}

export interface RetryingOptions {
  /**
   * Origins of the servers that honour `Idempotency-Key`, such as `'https://api.example.com'`: there POST and PATCH are given a
   * key if they have none.
   * @default - in a page its own origin, elsewhere none
   */
  readonly origins?: readonly string[];
  /**
   * How often a request is sent at most. To wait for one that is in flight costs none.
   * @default 3
   */
  readonly attempts?: number;
  /**
   * How long an attempt waits for the headers of its answer.
   * @default '10s'
   */
  readonly attemptTimeout?: Duration;
  /**
   * How long a call may take, from the first attempt to the headers of its answer.
   * @default '60s'
   */
  readonly deadline?: Duration;
  /**
   * How minted keys are written: `abc`, or as RFC 9651 wants it, `"abc"`.
   * @default 'bare'
   */
  readonly keyFormat?: 'bare' | 'quoted';
  /**
   * Whether retries to one origin share 500 tokens: a retry takes 14 (5 after a 429), an answer gives them back. Where they
   * are spent a call ends with its first attempt.
   * @default true
   */
  readonly budget?: boolean;
  /** Hears of each retry and each wait, before it begins. What it throws is logged, and changes nothing. */
  readonly onRetry?: (retry: Retry) => unknown;
}

export interface Settings {
  readonly origins: ReadonlySet<string>;
  readonly attempts: number;
  /** Ms. */
  readonly attemptTimeout: number;
  /** Ms. */
  readonly deadline: number;
  readonly keyFormat: 'bare' | 'quoted';
  readonly budget: boolean;
  readonly onRetry: (retry: Retry) => unknown;
}

/** `read`: what a value means; undefined: nothing. Without it, a value is of the type of `fallback`. */
type Row = readonly [fallback: unknown, expected: string, read?: (value: any) => unknown];

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const DURATION = "ms or such as '10s'";

const OPTIONS: Readonly<Record<string, Row>> = {
  origins: [undefined, 'a list of URL origins', origins],
  attempts: [3, 'a positive integer', (value) => (Number.isInteger(value) && value > 0 ? value : undefined)],
  attemptTimeout: [10_000, DURATION, duration],
  deadline: [60_000, DURATION, duration],
  keyFormat: ['bare', "'bare' or 'quoted'", (value) => /^(bare|quoted)$/.exec(value)?.[0]],
  budget: [true, 'a boolean'],
  onRetry: [() => {}, 'a function'],
};

const NONE: Row = [undefined, 'an option of retrying'];

/** Throws a `TypeError` that names the option. An undefined option counts as absent. */
export function settingsOf(options: RetryingOptions): Settings {
  const settings: any = {};
  for (const name of Object.keys({ ...OPTIONS, ...options })) {
    const value = (options as Record<string, unknown>)[name];
    const [fallback, expected, read = (given) => (typeof given === typeof fallback ? given : undefined)] =
      OPTIONS[name] ?? NONE;
    settings[name] = value === undefined ? fallback : read(value);
    if (value !== undefined && settings[name] === undefined) throw new TypeError(`\`${name}\` is not ${expected}`);
  }
  settings.origins ??= originOfPage();
  return settings;
}

/** In ms, up to the longest that a timer takes. */
function duration(value: unknown): number | undefined {
  const [, count, unit]: any = /^(\d+)(ms|[smh])$/.exec(`${value}`) ?? [];
  const ms = typeof value === 'number' ? value : count * (UNITS[unit] as number);
  return ms >= 1 && ms < 2 ** 31 ? ms : undefined;
}

function origins(value: unknown): ReadonlySet<string> | undefined {
  const isOrigin = (one: string): boolean => URL.canParse(one) && new URL(one).origin === one;
  return Array.isArray(value) && value.every(isOrigin) ? new Set(value) : undefined;
}

/** A page is where there is a document. */
function originOfPage(): ReadonlySet<string> {
  const { document, location } = globalThis as unknown as { document?: unknown; location: { readonly origin: string } };
  return new Set(document ? [location.origin] : []);
}
