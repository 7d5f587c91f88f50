import { misuse } from '../core/errors.ts';
import type { Execution } from '../execution.ts';

/** Whether a run forgets itself. */
export interface Forgetting extends Pick<Execution, 'forget'> {
  readonly isForgotten: () => boolean;
  /** Why nothing may begin now. */
  readonly bar: () => string | undefined;
  /** As if nothing had been said: of what `onUnknown` said, for the handler. */
  readonly reset: () => void;
}

/** `hasBegun`: whether a step or a commit has. */
export function forgettingOf(hasBegun: () => boolean): Forgetting {
  let isForgotten = false;
  return {
    forget() {
      if (hasBegun()) throw misuse('a run forgets before its first step and its commit');
      isForgotten = true;
    },
    isForgotten: () => isForgotten,
    bar: () => (isForgotten ? 'after `forget`' : undefined),
    reset() {
      isForgotten = false;
    },
  };
}
