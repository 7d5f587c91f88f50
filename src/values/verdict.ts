import { misuse } from '../core/errors.ts';

/** Whether a verdict lets the handler run. */
export function isRerun(verdict: unknown): boolean {
  return typeof verdict === 'object' && verdict !== null && 'rerun' in verdict && verdict.rerun === true;
}

/** The value of a verdict; throws `MISUSE` if it has none. */
export function valueIn(verdict: unknown): unknown {
  if (typeof verdict === 'object' && verdict !== null && 'value' in verdict) return verdict.value;
  throw misuse('the verdict on an unknown outcome must be { rerun: true } or { value }');
}
