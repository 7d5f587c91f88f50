import {
  BatchExecuteStatementCommand,
  type BatchExecuteStatementCommandOutput,
  type BatchStatementRequest,
  type BatchStatementResponse,
} from '@aws-sdk/client-dynamodb';
import { IdempotencyError } from '../../core/errors.ts';
import { inTime } from '../../core/patience.ts';
import { type Failed, idOf, type Write, type Written } from '../../core/store.ts';
import { isUnusable, storeError } from './errors.ts';
import { attributesOf, type Item, itemId, keyOf, toItem } from './item.ts';
import { toRecord } from './reader.ts';
import { ask, type Connection, itemsAtOnce } from './table.ts';

type Result = Written | Failed;

/**
 * Writes different records by one `BatchExecuteStatement`, each judged alone. What was in the way of a refused write and did not come
 * with its refusal is read, and nobody else waits for that. `onRefused`: called when the table has to be written one by one.
 */
export function groupWriter(
  connect: () => Connection,
  onRefused: () => void,
): (writes: readonly Write[], signal?: AbortSignal) => Promise<readonly (Result | Promise<Result>)[]> {
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
    const faults = writes.map((_, index) => (Responses[index] ?? UNANSWERED).Error);
    const unseen = writes.filter((_, index) => isRefusal(faults[index]) && !faults[index]?.Item);
    const items = unseen.length > 0 ? inTheWay(to, unseen.map(idOf), signal) : undefined;
    return writes.map((write, index) => {
      const fault = faults[index];
      if (!fault) return { done: true };
      if (!isRefusal(fault)) {
        const error = errorOf(fault);
        if (fault.Code === 'AccessDenied' || isDialect(fault)) refuse(error);
        return { failed: storeError(error, to.TableName) };
      }
      return fault.Item || !items ? lostTo(fault.Item as Item) : items.then((found) => found(idOf(write)));
    });
  };
}

const ONE_BY_ONE =
  'writes go one by one from now on, as they cannot go in groups, for which IdempotencyTable.grantIdempotency gives the permissions';

type Fault = NonNullable<BatchStatementResponse['Error']>;

const UNANSWERED: BatchStatementResponse = { Error: { Code: 'InternalServerError', Message: 'no answer' } };

function isRefusal(fault: Fault | undefined): boolean {
  return fault?.Code === 'DuplicateItem' || fault?.Code === 'ConditionalCheckFailed';
}

/** Whether an engine does not understand the statement; of any other that is not valid its content may be the reason. */
function isDialect({ Code, Message }: Fault): boolean {
  return Code === 'ValidationError' && /well formed|syntax/i.test(`${Message}`);
}

/** The error that a request with the write alone would have met. */
function errorOf({ Code, Message }: Fault): Error {
  return Object.assign(new Error(Message), { name: ERRORS[`${Code}`] ?? `${Code}` });
}

const ERRORS: Record<string, string> = {
  AccessDenied: 'AccessDeniedException',
  ResourceNotFound: 'ResourceNotFoundException',
  ValidationError: 'ValidationException',
};

/** Reads what was in the way of writes: once, and for as short as a try may be. What is not read is sent alone, which brings it. */
async function inTheWay(to: Connection, ids: readonly string[], signal?: AbortSignal): Promise<(id: string) => Result> {
  const keys = ids.map(keyOf);
  const none = { items: [], left: keys };
  const { items, left } = await inTime((gone) => itemsAtOnce(to, keys, gone), 0, signal).catch(() => none);
  const found = new Map(items.map((item) => [itemId(item), item]));
  const missed = new Set(left.map(itemId));
  return (id) => (missed.has(id) ? { failed: unread() } : lostTo(found.get(id)));
}

/** Nothing was written: it is certain that the write was refused. */
function unread(): IdempotencyError {
  const message = 'what was in the way of a write could not be read';
  return new IdempotencyError('STORE_UNAVAILABLE', message, { isUnwritten: true });
}

function lostTo(item: Item | undefined): Result {
  try {
    return { done: false, found: item && toRecord(item) };
  } catch (failed) {
    return { failed };
  }
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
