import { misuse } from '../core/errors.ts';
import type { Verdict } from '../execution.ts';

/** Whether somebody's word on an unknown outcome is that the handler may run. */
export function isRerun(verdict: Verdict): boolean {
  return typeof verdict === 'object' && verdict !== null && 'rerun' in verdict && verdict.rerun === true;
}

/** The value that it names; throws `MISUSE` if it names none. */
export function valueIn(verdict: Verdict): unknown {
  if (typeof verdict === 'object' && verdict !== null && 'value' in verdict) return verdict.value;
  throw misuse('the word on an unknown outcome is { rerun: true } or { value }');
}
