import { misuse } from '../core/errors.ts';
import type { Verdict } from '../execution.ts';

/** Whether a verdict lets the handler run. */
export function isRerun(verdict: Verdict): boolean {
  return typeof verdict === 'object' && verdict !== null && 'rerun' in verdict && verdict.rerun === true;
}

/** The value of a verdict; throws `MISUSE` if it has none. */
export function valueIn(verdict: Verdict): unknown {
  if (typeof verdict === 'object' && verdict !== null && 'value' in verdict) return verdict.value;
  throw misuse('the word on an unknown outcome is { rerun: true } or { value }');
}
