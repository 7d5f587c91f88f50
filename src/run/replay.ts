import { textOf } from '../core/errors.ts';
import { RESERVE_MS } from '../core/patience.ts';
import type { Duplicate, Settings } from '../options.ts';
import { atMost } from './steps.ts';

/** Ms for which an answer waits. */
const LONGEST_MS = 1_000;

/** Shows `onReplay` the answer to a duplicate. Neither its failure nor its slowness harms anybody. */
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
  await atMost(Math.min(LONGEST_MS, remaining - RESERVE_MS), call());
}
