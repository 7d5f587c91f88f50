import type { Handler, Program } from './executor.ts';
import { SECOND } from './executor.ts';
import type { Bounds } from './world.ts';

/** A few requests and what may happen to them. */
export interface Configuration {
  readonly name: string;
  readonly programs: readonly Program[];
  readonly bounds: Bounds;
}

const plain: Handler = async (_, { effect, value }) => {
  await effect('work');
  return value;
};

const stepped: Handler = async ({ step }, { effect, value }) => {
  await step('a', () => effect('step a'));
  await effect('work');
  return value;
};

const sideBySide: Handler = async ({ step }, { effect, value }) => {
  await Promise.all([step('a', () => effect('step a')), step('b', () => effect('step b'))]);
  return value;
};

const committing: Handler = async ({ commit }, { effect, value }) => {
  await effect('work');
  await commit(value, []);
  await effect('afterwards');
  return { ...value, payload: 'what was made of it' };
};

const committingBesideStep: Handler = async ({ step, commit }, { effect, value }) => {
  await Promise.all([step('a', () => effect('step a')), commit(value, [])]);
  return value;
};

const forgetting: Handler = async ({ forget }, { effect, value }) => {
  forget();
  await effect('validation');
  return value;
};

const BASE: Program = { key: 'k', payload: 'p', handler: plain, endings: ['return', 'fail', 'terminal'], ahead: 0 };
const STEPPED: Program = { ...BASE, handler: stepped, steps: 1 };
const SIDE_BY_SIDE: Program = { ...BASE, handler: sideBySide, steps: 2, endings: ['return', 'fail'] };
const COMMITTING: Program = { ...BASE, handler: committing, commits: true, endings: ['return', 'fail'] };
const BESIDE: Program = {
  ...STEPPED,
  handler: committingBesideStep,
  commits: true,
  endings: ['return', 'fail'],
};
const FORGETTING: Program = { ...BASE, handler: forgetting, forgets: true };
const ATOMIC: Program = { ...COMMITTING, options: { mode: 'atomic' } };
const REFUSING: Program = { ...BASE, options: { onUnknown: 'refuse' }, endings: ['return', 'fail'] };
/** Finds out that nothing has happened, or what has. */
const RERUNNING: Program = { ...BASE, reconcile: { rerun: true }, endings: ['return', 'fail'] };
const FINDING: Program = {
  ...BASE,
  reconcile: { value: { by: 0, key: 'k', payload: 'p' } },
  endings: ['return', 'fail'],
};
const HOLDING: Program = { ...BASE, timers: true, options: { lease: 2 * SECOND }, endings: ['return'] };
/** There is time for a second extension where the first was not answered. */
const PATIENT: Program = { ...HOLDING, options: { lease: 4 * SECOND } };
const callerIs = (principal: string): Program => ({
  ...BASE,
  key: `k-of-${principal}`,
  options: { key: 'k', principal },
});
const ahead = (program: Program): Program => ({ ...program, ahead: SECOND });
const quick = (program: Program): Program => ({ ...program, endings: ['return'] });

/** Until the first lease and its retention are over. */
const ALL: Bounds = { crashes: 1, faults: 1, time: 5 };
const SHORT: Bounds = { ...ALL, time: 3 };
const SHORTER: Bounds = { ...ALL, time: 2 };

export const CONFIGURATIONS: readonly Configuration[] = [
  { name: 'two requests', programs: [BASE, BASE], bounds: ALL },
  { name: 'the second clock is ahead', programs: [BASE, ahead(BASE)], bounds: SHORT },
  { name: 'the first clock is ahead', programs: [ahead(BASE), BASE], bounds: SHORT },
  { name: 'another payload', programs: [BASE, { ...BASE, payload: 'q' }], bounds: { ...ALL, time: 4 } },
  { name: 'another key', programs: [BASE, { ...BASE, key: 'l' }], bounds: SHORT },
  { name: 'two keys in one group', programs: [BASE, { ...BASE, key: 'l' }], bounds: { ...SHORT, groups: true } },
  {
    name: 'a duplicate of one of two keys in a group',
    programs: [quick(BASE), quick({ ...BASE, key: 'l' }), quick(BASE)],
    bounds: { ...SHORTER, crashes: 0, groups: true },
  },
  { name: 'another caller', programs: [callerIs('alice'), callerIs('bob')], bounds: SHORT },
  { name: 'a step', programs: [STEPPED, STEPPED], bounds: SHORTER },
  { name: 'steps side by side', programs: [SIDE_BY_SIDE, SIDE_BY_SIDE], bounds: { ...SHORTER, faults: 0 } },
  { name: 'a commit', programs: [COMMITTING, COMMITTING], bounds: { ...SHORT, refusals: true } },
  { name: 'atomic', programs: [ATOMIC, ATOMIC], bounds: { ...ALL, refusals: true } },
  { name: 'a commit without a claim beside a claim', programs: [COMMITTING, ATOMIC], bounds: SHORT },
  { name: 'a commit beside a step', programs: [BESIDE, BESIDE], bounds: SHORTER },
  { name: 'a run that forgets', programs: [FORGETTING, { ...FORGETTING, payload: 'q' }], bounds: SHORT },
  { name: 'a run that forgets after another', programs: [BASE, FORGETTING], bounds: SHORT },
  { name: 'unknown outcomes are refused', programs: [REFUSING, REFUSING], bounds: ALL },
  { name: 'unknown outcomes are looked into, and rerun', programs: [RERUNNING, RERUNNING], bounds: SHORT },
  { name: 'unknown outcomes are looked into, and found', programs: [FINDING, FINDING], bounds: { ...ALL, faults: 0 } },
  { name: 'leases are prolonged', programs: [HOLDING, HOLDING], bounds: SHORT },
  {
    name: 'leases are prolonged, the second clock is ahead',
    programs: [HOLDING, ahead(HOLDING)],
    bounds: { crashes: 0, faults: 0, time: 4 },
  },
  {
    name: 'leases are prolonged, by answers that are late',
    programs: [PATIENT, HOLDING],
    bounds: { crashes: 0, faults: 1, time: 4 },
  },
  { name: 'three requests', programs: [quick(BASE), quick(BASE), quick(BASE)], bounds: { ...SHORT, faults: 0 } },
  {
    name: 'three requests, two payloads',
    programs: [quick(BASE), quick(BASE), quick({ ...BASE, payload: 'q' })],
    bounds: { ...SHORT, faults: 0 },
  },
  {
    name: 'three requests and a fault',
    programs: [quick(BASE), quick(BASE), quick(BASE)],
    bounds: { ...SHORTER, crashes: 0 },
  },
];
