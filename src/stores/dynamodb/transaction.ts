import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { IdempotencyError } from '../../core/errors.ts';
import type { Transacted, TransactWrite } from '../../core/store.ts';
import { isConflict, isUnsent, reasonsOf } from './errors.ts';
import { type Item, native, type Put, type Update } from './item.ts';
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
  const { DynamoDBDocumentClient, TransactWriteCommand } = await libDynamoDB();
  const documents = isDocumentClient(client)
    ? client
    : DynamoDBDocumentClient.from(client as DynamoDBClient, { marshallOptions: { removeUndefinedValues: true } });
  const TransactItems = [native(mine), ...writes] as ConstructorParameters<
    typeof TransactWriteCommand
  >[0]['TransactItems'];
  try {
    await sendOnce(new TransactWriteCommand({ TransactItems }), (command) => documents.send(command, { abortSignal }));
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

/** Whether the writes could not be sent, such as a value that cannot be marshalled; nor can they be again. */
function isUnsendable(error: Error): boolean {
  return isUnsent(error) && !PASSING.test(error.name);
}

const PASSING = /^(CredentialsProvider|Timeout|Abort)Error$/;

function isDocumentClient(client: object): client is DynamoDBDocumentClient {
  return 'translateConfig' in ((client as { config?: object }).config ?? {});
}

// Only a function that commits needs the package.
async function libDynamoDB(): Promise<typeof import('@aws-sdk/lib-dynamodb')> {
  try {
    return await import('@aws-sdk/lib-dynamodb');
  } catch (cause) {
    throw new IdempotencyError('MISUSE', 'commit needs the package @aws-sdk/lib-dynamodb', { cause });
  }
}
