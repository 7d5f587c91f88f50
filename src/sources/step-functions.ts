import { IdempotencyError } from '../core/errors.ts';
import { keyOf } from '../core/identity.ts';
import { isPresent, isText, membersOf } from './members.ts';

/** One visit of a state, as the context object of Step Functions tells it. */
export interface StateVisit {
  /** `$states.context.Execution.Id` (in JSONPath `$$.Execution.Id`). */
  readonly executionId: string;
  /** `$states.context.State.Name`. */
  readonly stateName: string;
  /** `$states.context.Map.Item.Index`, within a Map state. */
  readonly mapIndex?: number | string;
  /** `$states.context.State.EnteredTime`, of a state that an execution may visit several times: in a loop. */
  readonly enteredTime?: string;
}

/**
 * A key for a task of a state machine: the same whenever Step Functions retries it, another for every state, item of a Map
 * and (with `enteredTime`) visit. A text for the option `key`. The task token is no part of it: every try has another.
 *
 * Throws `KEY_MISSING` without an execution's id or a state's name, and for parts that are neither texts nor numbers.
 *
 * @example
 * const handler = idempotent(charge, { store, key: ({ task }) => stepFunctionsKey(task), fingerprint: ({ order }) => order });
 */
export function stepFunctionsKey(state: StateVisit): string {
  const { executionId, stateName, mapIndex, enteredTime } = membersOf(state);
  const optional = [mapIndex, enteredTime].map((part) => (isPresent(part) ? part : ''));
  if (!isText(executionId) || !isText(stateName) || !optional.every(isScalar)) {
    throw new IdempotencyError(
      'KEY_MISSING',
      'stepFunctionsKey needs texts: let the state pass $states.context.Execution.Id for executionId, and .State.Name for stateName',
    );
  }
  return keyOf(executionId, stateName, ...optional.map(String));
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}
