import type { Shown } from '../cli/console/wire.ts';
import { onClock, several } from './words.ts';

/** What an operator can do to a record. */
export type Deed = 'value' | 'rerun' | 'forget';

export const DEEDS: Readonly<Record<Deed, { readonly title: string; readonly button: string }>> = {
  value: { title: 'Record an outcome', button: 'Record this outcome' },
  rerun: { title: 'Let it run again', button: 'Let it run again' },
  forget: { title: 'Forget the record', button: 'Forget it' },
};

/** What can be done to a record, or in words why nothing can. */
export function choicesFor(shown: Shown): { readonly deeds: readonly Deed[]; readonly why: string } {
  switch (shown.state) {
    case 'in-doubt':
    case 'stuck':
      return {
        deeds: ['value', 'rerun'],
        why: 'Find out first whether its effect happened. It cannot be forgotten before that is decided.',
      };
    case 'in-progress':
      return {
        deeds: [],
        why: `Nothing can be decided while a run holds the key, until ${onClock(shown.leaseUntil ?? 0)} at least. Forgetting it now is refused: the run may still have its effect.`,
      };
    case 'released':
      return { deeds: ['forget'], why: 'Its run gave the key back: there is nothing to decide.' };
    case 'expired':
      return { deeds: [], why: 'Nothing needs to be decided: a request with its key is a new operation.' };
    default:
      return { deeds: ['forget'], why: '' };
  }
}

/** What will happen, each in a sentence. */
export function consequencesOf(deed: Deed, shown: Shown): readonly string[] {
  return [
    ...SAID[deed](shown),
    `Nothing is written if the record has changed since it was shown (version ${shown.version}).`,
  ];
}

const SAID: Readonly<Record<Deed, (shown: Shown) => readonly string[]>> = {
  value: ({ isResponse, steps }) => [
    'The handler does not run again. Every retry and every duplicate gets what you enter here.',
    ...(isResponse ? ['Callers get it as the response, with the header Idempotent-Replayed: true.'] : []),
    ...(isForeign(steps)
      ? ['This function encodes its values with a codec of its own. Yours is kept as plain JSON.']
      : []),
  ],
  rerun: ({ attempt, steps = {} }) => [
    `Nothing runs now. The next request with this key runs the handler, as attempt ${attempt + 1}.`,
    stepsSaid(Object.keys(steps)),
    'If its effect did happen outside of a step, it happens a second time.',
  ],
  forget: ({ state }) => [
    'The next request with this key runs the handler as if it had never run, also with another payload.',
    ...(state === 'released'
      ? ['Its steps are dropped: what they did is done again.']
      : ['Its outcome is dropped. What the run did is not undone: it is done a second time.']),
    ...(state === 'released'
      ? []
      : ['Functions that have the outcome in memory may answer with it for about a minute.']),
  ],
};

function stepsSaid(names: readonly string[]): string {
  if (names.length === 0) return 'No step is on record: all of it is done again.';
  const which = `${several(names.length, 'step')} on record (${names.join(', ')})`;
  return `${which} ${names.length === 1 ? 'is' : 'are'} not repeated. An interrupted step is, with the same derived key.`;
}

function isForeign(steps: Shown['steps'] = {}): boolean {
  return Object.values(steps).some(({ codec }) => codec !== undefined && codec !== 'json' && codec !== 'v8');
}
