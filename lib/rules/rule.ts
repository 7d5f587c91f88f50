/**
 * What must fit together, and is judged alike by constructs, which fail, and by {@link IdempotencyAudit}, which reports.
 * A fact that is undefined is not known at synthesis, and not judged.
 */
export interface Rule<Facts> {
  readonly id: string;
  /** What was wrong, got and expected; undefined: nothing. */
  readonly judge: (facts: Facts) => string | undefined;
}

export interface Finding {
  readonly rule: string;
  readonly text: string;
}

/** The rules that are broken. */
export function broken<Facts>(rules: readonly Rule<Facts>[], facts: Facts): Finding[] {
  return rules.flatMap(({ id, judge }) => {
    const text = judge(facts);
    return text === undefined ? [] : [{ rule: id, text }];
  });
}

/** Throws for the first rule that is broken. */
export function expectKept<Facts>(rules: readonly Rule<Facts>[], facts: Facts, of = ''): void {
  const [first] = broken(rules, facts);
  if (first) throw new Error(`${of}${first.text}`);
}

type Limit<F> = readonly [name: keyof F, expected: (facts: F) => number | undefined, why: string];

export function atLeast<F>(id: string, [name, expected, why]: Limit<F>): Rule<F> {
  return bound(id, name, expected, (got, limit) => got >= limit, `at least`, why);
}

export function atMost<F>(id: string, [name, expected, why]: Limit<F>): Rule<F> {
  return bound(id, name, expected, (got, limit) => got <= limit, `at most`, why);
}

function bound<F>(
  id: string,
  name: keyof F,
  expected: (facts: F) => number | undefined,
  isKept: (got: number, limit: number) => boolean,
  relation: string,
  why: string,
): Rule<F> {
  const judge = (facts: F): string | undefined => {
    const got = facts[name];
    const limit = expected(facts);
    if (got === undefined || limit === undefined || (typeof got === 'number' && isKept(got, limit))) return undefined;
    return `\`${String(name)}\` is ${got}; expected ${relation} ${limit}${why}`;
  };
  return { id, judge };
}
