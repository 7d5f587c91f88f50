import { textOf } from '../core/errors.ts';
import { RESERVE_MS } from '../core/patience.ts';
import type { Settings } from '../options.ts';
import { atMost } from './steps.ts';

/** What is known of a duplicate. */
interface Duplicate {
  readonly id: string;
  readonly key: string;
  /** Of the run whose outcome is on record. */
  readonly attempt: number;
}

/** Shows `onReplay` the answer to a duplicate. Its failure harms nobody, and time is kept for the answer. */
export async function shown(
  { onReplay }: Pick<Settings, 'onReplay'>,
  answer: unknown,
  duplicate: Duplicate,
  remaining: number,
): Promise<void> {
  if (!onReplay) return;
  const call = async (): Promise<void> => {
    try {
      await onReplay(answer, duplicate);
    } catch (error) {
      process.emitWarning(`onReplay threw ${textOf(error)}`, 'IdempotencyWarning');
    }
  };
  await atMost(remaining - RESERVE_MS, call());
}
