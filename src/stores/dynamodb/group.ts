import {
  BatchExecuteStatementCommand,
  type BatchExecuteStatementCommandOutput,
  type BatchStatementRequest,
  type BatchStatementResponse,
} from '@aws-sdk/client-dynamodb';
import { IdempotencyError } from '../../core/errors.ts';
import { type Failed, idOf, type Write, type Written } from '../../core/store.ts';
import { isUnusable, storeError } from './errors.ts';
import { attributesOf, type Item, toItem } from './item.ts';
import { toRecord } from './reader.ts';
import { ask, type Connection, itemsOf } from './table.ts';

/**
 * Writes different records by one `BatchExecuteStatement`, each judged alone. `onRefused`: called when the table has to be written
 * one by one.
 */
export function groupWriter(
  connect: () => Connection,
  onRefused: () => void,
): (writes: readonly Write[], signal?: AbortSignal) => Promise<readonly (Written | Failed)[]> {
  let isRefused = false;

  const refuse = (why: unknown): void => {
    if (!isRefused) process.emitWarning(`${ONE_BY_ONE}: ${why}`, 'IdempotencyWarning');
    isRefused = true;
    onRefused();
  };

  return async (writes, signal) => {
    const to = connect();
    const Statements = writes.map((write) => statementOf(write, to.TableName));
    const command = new BatchExecuteStatementCommand({ Statements });
    const sent: Promise<BatchExecuteStatementCommandOutput> = ask(command, to, signal);
    const { Responses = [] } = await sent.catch((error) => {
      if (isUnusable(error.cause)) refuse(error.cause);
      throw error;
    });
    const inTheWay = await refusers(to, writes, Responses, signal);
    return writes.map((write, index) => {
      const { Error: fault } = Responses[index] ?? UNANSWERED;
      if (!fault) return { done: true };
      if (isRefusal(fault)) return inTheWay(idOf(write), fault.Item as Item | undefined);
      const cause = Object.assign(new Error(fault.Message), { name: NAMES[`${fault.Code}`] ?? `${fault.Code}` });
      if (fault.Code === 'AccessDenied') refuse(cause);
      return { failed: storeError(cause, to.TableName) };
    });
  };
}

const ONE_BY_ONE =
  'writes go one by one from now on, as they may not go in groups, for which IdempotencyTable.grantIdempotency gives the permissions';

/** Errors of statements that the errors of requests have other names for. */
const NAMES: Record<string, string> = {
  AccessDenied: 'AccessDeniedException',
  ResourceNotFound: 'ResourceNotFoundException',
  ValidationError: 'ValidationException',
};

type Fault = NonNullable<BatchStatementResponse['Error']>;

const UNANSWERED: BatchStatementResponse = { Error: { Code: 'InternalServerError', Message: 'no answer' } };

function isRefusal({ Code }: Fault): boolean {
  return Code === 'DuplicateItem' || Code === 'ConditionalCheckFailed';
}

type InTheWay = (id: string, item: Item | undefined) => Written | Failed;

/** The records in the way of what was refused: those that no refusal brought are read. */
async function refusers(
  to: Connection,
  writes: readonly Write[],
  responses: readonly BatchStatementResponse[],
  signal?: AbortSignal,
): Promise<InTheWay> {
  const unseen = writes.filter((_, index) => {
    const { Error: fault } = responses[index] ?? UNANSWERED;
    return fault && isRefusal(fault) && !fault.Item;
  });
  let items = new Map<string, Item>();
  let failure: Failed | undefined;
  if (unseen.length > 0) {
    items = await itemsOf(to, unseen.map(idOf), signal).catch((cause) => {
      failure = { failed: unread(cause) };
      return items;
    });
  }
  return (id, handedBack) => {
    const item = handedBack ?? items.get(id);
    if (failure && !item) return failure;
    try {
      return { done: false, found: item && toRecord(item) };
    } catch (failed) {
      return { failed };
    }
  };
}

/** The write was refused: it is certain that nothing was written. */
function unread(cause: unknown): IdempotencyError {
  const message = 'what was in the way of a write could not be read';
  return new IdempotencyError('STORE_UNAVAILABLE', message, { cause, isPassing: true, isUnwritten: true });
}

/**
 * Of PartiQL what every engine takes: commas in one SET, one REMOVE of one attribute, and no quoted name to the right of `=`. What else
 * the new state does not have is emptied, and the reader passes over it.
 */
function statementOf(write: Write, table: string): BatchStatementRequest {
  if (write.kind !== 'update') {
    const item = toItem(write.next);
    const members = Object.keys(item).map((name) => `'${name}': ?`);
    return statement(`INSERT INTO "${table}" VALUE {${members.join(', ')}}`, item);
  }
  const { held, change } = write;
  const { kind, ...changed } = change;
  const isCompletion = kind === 'complete';
  const emptied = isCompletion ? { status: 'COMPLETED', steps: {} } : { leaseUntil: 0 };
  const values = attributesOf({ ...changed, ...emptied });
  const gone = isCompletion ? 'leaseUntil' : 'owner';
  const setting = Object.keys(values).map((name) => `"${name}"=?`);
  return statement(
    `UPDATE "${table}" SET ${setting.join(', ')}, version = version + ? REMOVE "${gone}" WHERE id=? AND "owner"=? AND "status"='IN_PROGRESS'`,
    { ...values, ...attributesOf({ by: 1, id: held.id, holder: held.owner }) },
  );
}

function statement(Statement: string, values: Item): BatchStatementRequest {
  return { Statement, Parameters: Object.values(values), ReturnValuesOnConditionCheckFailure: 'ALL_OLD' };
}
