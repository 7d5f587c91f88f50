import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient, TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { IdempotencyError } from '../../core/errors.ts';
import type { Transacted, TransactWrite } from '../../core/store.ts';
import { isConflict, isUnsent, reasonsOf } from './errors.ts';
import type { Item, Put, Update } from './item.ts';
import { toRecord } from './reader.ts';
import { sendOnce } from './table.ts';

/** Errors that a user's write or its table caused. Nothing was written. */
const REFUSALS = new Set([
  'TransactionCanceledException',
  'ValidationException',
  'ResourceNotFoundException',
  'AccessDeniedException',
]);

/** One `TransactWriteItems`. Our write comes first, and so does its cancellation reason. */
export async function transact(
  client: Pick<DynamoDBClient, 'send'>,
  mine: (Put | Update) & { readonly TableName: string },
  writes: readonly TransactWrite[],
  abortSignal?: AbortSignal,
): Promise<Transacted> {
  const lib = await libDynamoDB();
  const TransactItems = writes as TransactWriteCommandInput['TransactItems'];
  try {
    const documents = documentsOf(client, lib);
    const command = new lib.TransactWriteCommand({ TransactItems });
    command.middlewareStack.addRelativeTo(leading(mine), LEADING);
    await sendOnce(command, (one) => documents.send(one, { abortSignal }));
    return { done: true };
  } catch (error) {
    const [own] = reasonsOf(error);
    if (own?.Code === 'ConditionalCheckFailed') {
      return { done: false, found: own.Item && toRecord(own.Item as Item) };
    }
    const isRefusal = error instanceof Error && (REFUSALS.has(error.name) || isUnsendable(error));
    if (isRefusal && !isConflict(error)) return { done: false, refusal: error };
    throw error;
  }
}

/** Puts our write before those of the user, when these have been marshalled, as it is already. */
function leading(mine: Put | Update) {
  const item = 'Item' in mine ? { Put: mine } : { Update: mine };
  return (next: (args: any) => Promise<any>) => (args: any) =>
    next({ ...args, input: { ...args.input, TransactItems: [item, ...args.input.TransactItems] } });
}

/** The place behind lib-dynamodb's own. */
const LEADING = {
  name: 'idempotencyRecord',
  relation: 'after',
  toMiddleware: 'DocumentMarshall',
  override: true,
} as const;

/** Whether the writes could not be sent, such as a value that cannot be marshalled; nor can they be again. */
function isUnsendable(error: Error): boolean {
  return isUnsent(error) && !PASSING.test(error.name);
}

const PASSING = /^(CredentialsProvider|Timeout|Abort)Error$/;

type Lib = typeof import('@aws-sdk/lib-dynamodb');

const made = new WeakMap<object, DynamoDBDocumentClient>();

/** The client as one that takes plain values, made once. */
function documentsOf(client: Pick<DynamoDBClient, 'send'>, { DynamoDBDocumentClient }: Lib): DynamoDBDocumentClient {
  if (isDocumentClient(client)) return client;
  const known = made.get(client);
  if (known) return known;
  const marshallOptions = { removeUndefinedValues: true };
  const documents = DynamoDBDocumentClient.from(client as DynamoDBClient, { marshallOptions });
  made.set(client, documents);
  return documents;
}

function isDocumentClient(client: object): client is DynamoDBDocumentClient {
  return 'translateConfig' in ((client as { config?: object }).config ?? {});
}

// Only a function that commits needs the package.
async function libDynamoDB(): Promise<Lib> {
  try {
    const lib: Lib & { readonly default?: Lib } = await import('@aws-sdk/lib-dynamodb');
    // It is CommonJS: what a bundler has split off exports a default alone.
    return lib.DynamoDBDocumentClient ? lib : (lib.default ?? lib);
  } catch (cause) {
    throw new IdempotencyError('MISUSE', 'commit needs the package @aws-sdk/lib-dynamodb', { cause });
  }
}
