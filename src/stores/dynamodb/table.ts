import { BatchGetItemCommand, type BatchGetItemCommandOutput, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { persistently } from '../../core/patience.ts';
import { storeError, unsent } from './errors.ts';
import { type Item, itemId, keyOf } from './item.ts';

/** A client and the table it is to use. */
export interface Connection {
  readonly client: Pick<DynamoDBClient, 'send'>;
  readonly TableName: string;
}

/** A command of the SDK, as far as it can be told how it is sent. */
interface Command {
  readonly middlewareStack: { add(middleware: any, options: any): void };
}

/**
 * Sends a command once, whatever its client is set to: the runtime sends it again, and knows how long there is time. An error of
 * which it is certain that nothing was sent, and that nothing will be, is marked as {@link unsent}.
 */
export function sendOnce<C extends Command, Output>(
  command: C,
  send: (command: C) => Promise<Output>,
): Promise<Output> {
  // A stubbed client runs no middleware: of `none` nothing can be told.
  let progress = 'none' as 'none' | 'begun' | 'sent' | 'given up';
  const begin: Middleware = (next) => (args) => {
    progress = 'begun';
    return next(args);
  };
  const retryNothing: Middleware = (next) => async (args) => {
    if (progress === 'given up') throw new Error('it was given up before it was sent');
    progress = 'sent';
    return next(args);
  };
  command.middlewareStack.add(begin, BEGIN);
  command.middlewareStack.add(retryNothing, RETRY);
  // Not every stubbed client gives a promise.
  return Promise.resolve(send(command)).catch((error) => {
    if (progress !== 'begun') throw error;
    progress = 'given up';
    throw unsent(error);
  });
}

type Middleware = (next: (args: unknown) => Promise<unknown>) => (args: unknown) => Promise<unknown>;

const BEGIN = { step: 'initialize', priority: 'high' } as const;

/** The place of the SDK's own retries, which a middleware of that name replaces. */
const RETRY = { name: 'retryMiddleware', step: 'finalizeRequest', priority: 'high', override: true } as const;

/** Sends a request, and throws the errors of the port. */
export async function ask<C extends Command, Output>(
  command: C,
  { client, TableName }: Connection,
  abortSignal?: AbortSignal,
): Promise<Output> {
  try {
    return await sendOnce(command, (one) => client.send(one as never, { abortSignal }) as Promise<Output>);
  } catch (error) {
    throw storeError(error, TableName);
  }
}

/** Ms for which keys that are left over are asked for again. */
const LEFT_OVER_MS = 2_000;

/** The items that exist, by id. A consistent read: a pointer may be followed as soon as it is written. */
export async function itemsOf(
  to: Connection,
  ids: readonly string[],
  abortSignal?: AbortSignal,
): Promise<Map<string, Item>> {
  const found = new Map<string, Item>();
  const leftOver = storeError(
    Object.assign(new Error('keys were left over'), { name: 'ThrottlingException' }),
    to.TableName,
  );
  let keys = ids.map(keyOf);
  const read = async (): Promise<void> => {
    const { items, left } = await itemsAtOnce(to, keys, abortSignal);
    for (const item of items) found.set(itemId(item), item);
    keys = left;
    if (keys.length > 0) throw leftOver;
  };
  await persistently(read, (error) => error === leftOver, LEFT_OVER_MS, abortSignal);
  return found;
}

interface ReadItems {
  readonly items: readonly Item[];
  /** Keys that were not looked for. */
  readonly left: Item[];
}

/** The items that one request hands out. */
export async function itemsAtOnce(
  to: Connection,
  Keys: readonly Item[],
  abortSignal?: AbortSignal,
): Promise<ReadItems> {
  const RequestItems = { [to.TableName]: { Keys: [...Keys], ConsistentRead: true } };
  const output: BatchGetItemCommandOutput = await ask(new BatchGetItemCommand({ RequestItems }), to, abortSignal);
  const items = Object.values(output.Responses ?? {}).flat() as Item[];
  return { items, left: Object.values(output.UnprocessedKeys ?? {}).flatMap((left) => left.Keys as Item[]) };
}
