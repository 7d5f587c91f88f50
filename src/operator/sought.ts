import { type Parsed, positiveDuration, that } from '../core/check.ts';
import type { Clause } from '../core/store.ts';
import type { Listed } from './glance.ts';
import { callerIn, IDENTITY, isPrincipal, isTexts, type RecordIdentity } from './record-id.ts';
import { clausesOf, STATES, type State } from './state.ts';

const isState = (value: unknown): boolean => typeof value === 'string' && Object.hasOwn(STATES, value);
const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** How the options are read that say which records are sought. */
export const SOUGHT = {
  state: that<State | readonly State[]>(
    (value) => isState(value) || (Array.isArray(value) && value.length > 0 && value.every(isState)),
    `one of ${Object.keys(STATES).join(', ')}, or a list of them`,
  ),
  scope: IDENTITY.scope,
  operation: that<readonly string[]>((value) => isEmpty(value) || isTexts(value), 'a list of texts'),
  principal: that<string | readonly string[] | false>(
    (value) => value === false || isPrincipal(value),
    'a text, a list of texts, or false',
  ),
  key: IDENTITY.key,
  olderThan: positiveDuration,
};

export type Sought = Parsed<typeof SOUGHT>;

/** The identity that is sought, if it is the whole of one. */
export function identityIn({ scope, operation, principal, key }: Sought): RecordIdentity | undefined {
  if (scope === undefined || operation === undefined || principal === undefined || key === undefined) return undefined;
  const isNone = operation.length === 0;
  return { scope, key, ...(!isNone && { operation }), ...(principal !== false && { principal }) };
}

/** What is sought in a part of the identity; `null`: that there is none; `undefined`: anything. */
type Wanted = Readonly<Record<'key' | 'operation' | 'principal', string | null | undefined>>;

function wantedIn({ operation, principal, key }: Sought): Wanted {
  return {
    key,
    operation: operation && (operation.join(' ') || null),
    principal: principal === false ? null : callerIn(principal),
  };
}

const PARTS = ['key', 'operation', 'principal'] as const;

/** Whether a record is one of those that are sought. `now`: epoch ms. */
export function isSought(record: Listed, sought: Sought, now: number): boolean {
  const { scope = record.scope, state = record.state, olderThan } = sought;
  const wanted = wantedIn(sought);
  return (
    record.scope === scope &&
    [state].flat().includes(record.state) &&
    (olderThan === undefined || record.claimedAt <= now - olderThan) &&
    PARTS.every((part) => isPart(record, part, wanted[part]))
  );
}

function isPart(record: Listed, part: (typeof PARTS)[number], wanted: string | null | undefined): boolean {
  if (wanted === undefined) return true;
  if (record.key === undefined) return false; // it does not say whose it is
  const kept = record[part];
  if (wanted === null) return kept === undefined;
  return record.cut.includes(part) ? wanted.startsWith(kept ?? '') : kept === wanted;
}

/** The same as a store can tell: it leaves most of the other records where they are. */
export function clausesFor(sought: Sought, now: number): readonly Clause[] {
  const { scope, olderThan } = sought;
  const wanted = wantedIn(sought);
  const clauses = PARTS.flatMap((part) => clausesOfPart(part, wanted[part]));
  if (scope !== undefined) clauses.push([{ path: 'id', is: 'begins', value: `${scope}#` }]);
  if (olderThan !== undefined) clauses.push([{ path: 'claimedAt', is: '<=', value: now - olderThan }]);
  return [...clauses, ...clausesOfStates(sought, now)];
}

function clausesOfPart(part: string, wanted: string | null | undefined): readonly Clause[] {
  const path = `identity.${part}`;
  if (wanted === undefined) return [];
  if (wanted === null) return [[{ path, is: 'absent' }]];
  const isCut = { path: 'identity.cut', is: 'contains', value: part } as const;
  return [[{ path, is: '=', value: wanted }, isCut]];
}

/** What the states that are sought have in common. */
function clausesOfStates({ state }: Sought, now: number): readonly Clause[] {
  const [first = [], ...others] = state === undefined ? [] : [state].flat().map((one) => clausesOf(one, now));
  const texts = others.map((clauses) => clauses.map((clause) => JSON.stringify(clause)));
  return first.filter((clause) => texts.every((all) => all.includes(JSON.stringify(clause))));
}
