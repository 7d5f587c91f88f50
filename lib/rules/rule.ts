/**
 * What must fit together, and is judged alike by constructs, which fail, and by {@link IdempotencyAudit}, which reports.
 * A fact that is undefined is not known at synthesis, and not judged.
 */
export interface Rule<Facts> {
  readonly id: string;
  /** Whoever breaks it loses time, or sight of what was given up, but neither a message nor an outcome: an existing stack may have its reasons. */
  readonly isAdvice?: boolean;
  /** What was wrong, got and expected; undefined: nothing. */
  readonly judge: (facts: Facts) => string | undefined;
}

export interface Finding {
  readonly rule: string;
  readonly isAdvice?: boolean;
  readonly text: string;
}

/** The rules that are broken. */
export function broken<Facts>(rules: readonly Rule<Facts>[], facts: Facts): Finding[] {
  return rules.flatMap(({ id, isAdvice, judge }) => {
    const text = judge(facts);
    return text === undefined ? [] : [{ rule: id, text, ...(isAdvice && { isAdvice }) }];
  });
}

/** Throws for the first rule that is broken. */
export function expectKept<Facts>(rules: readonly Rule<Facts>[], facts: Facts, of = ''): void {
  const [first] = broken(rules, facts);
  if (first) throw new Error(`${of}${first.text}`);
}

export function advice<F>(rule: Rule<F>): Rule<F> {
  return { ...rule, isAdvice: true };
}

type Limit<F, L = number> = readonly [name: keyof F, expected: (facts: F) => L | undefined, why: string];

export function atLeast<F>(id: string, limit: Limit<F>): Rule<F> {
  return bound(
    id,
    limit,
    (got, least) => got >= least,
    (least) => `at least ${least}`,
  );
}

export function atMost<F>(id: string, limit: Limit<F>): Rule<F> {
  return bound(
    id,
    limit,
    (got, most) => got <= most,
    (most) => `at most ${most}`,
  );
}

export function within<F>(id: string, limit: Limit<F, readonly [least: number, most: number]>): Rule<F> {
  return bound(
    id,
    limit,
    (got, [least, most]) => got >= least && got <= most,
    (range) => range.join(' to '),
  );
}

function bound<F, L>(
  id: string,
  [name, expected, why]: Limit<F, L>,
  isKept: (got: number, limit: L) => boolean,
  said: (limit: L) => string,
): Rule<F> {
  const judge = (facts: F): string | undefined => {
    const got = facts[name];
    const limit = expected(facts);
    if (got === undefined || limit === undefined || (typeof got === 'number' && isKept(got, limit))) return undefined;
    return `\`${String(name)}\` is ${got}; expected ${said(limit)}${why}`;
  };
  return { id, judge };
}
