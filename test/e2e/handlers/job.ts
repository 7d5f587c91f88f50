import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { type Execution, TerminalError } from 'effectively-once';

/** What a handler is told to do: to write one effect, and to fail on the way to it. */
export interface Job {
  readonly orderId: string;
  readonly fault?: Fault;
  /** What the runtime says of the time that remains. @default - the truth */
  readonly remaining?: 'missing' | 'an hour';
}

export interface Fault {
  readonly kind: 'throw' | 'terminal' | 'hang' | 'exit';
  /** Before the effect; after it and before it is recorded; after that; after the outcome is recorded. */
  readonly at: 'start' | 'effect' | 'step' | 'outcome';
  /** How many attempts fail. @default 1 */
  readonly attempts?: number;
}

const ledger = DynamoDBDocumentClient.from(new DynamoDBClient());

/** Writes the effect into the ledger, under the key that every attempt derives. `batch`: how many records came together. */
export async function perform(
  { orderId, fault }: Job,
  { attempt, step }: Pick<Execution, 'attempt' | 'step'>,
  batch = 1,
) {
  const failAt = async (at: Fault['at']): Promise<void> => {
    if (fault?.at === at && attempt <= (fault.attempts ?? 1)) await fail(fault);
  };
  await failAt('start');
  const effectId = await step('effect', async ({ key }) => {
    await ledger.send(
      new UpdateCommand({
        TableName: process.env['LEDGER_TABLE'],
        Key: { orderId, effectId: key },
        UpdateExpression:
          'SET #at = if_not_exists(#at, :now), #batch = if_not_exists(#batch, :batch) ADD requests :one',
        ExpressionAttributeNames: { '#at': 'at', '#batch': 'batch' },
        ExpressionAttributeValues: { ':now': Date.now(), ':batch': batch, ':one': 1 },
      }),
    );
    await failAt('effect');
    return key;
  });
  await failAt('step');
  return { orderId, effectId, attempt };
}

export async function fail({ kind }: Fault): Promise<void> {
  if (kind === 'exit') process.exit(1);
  if (kind === 'hang') await new Promise(() => {});
  throw kind === 'terminal' ? new TerminalError('on command') : new Error('on command');
}
