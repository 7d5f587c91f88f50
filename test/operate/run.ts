// One run of a function, in a process of its own, which may be killed in the middle of it.
import { dynamoDBStore, idempotent, runOnce, TerminalError } from 'effectively-once';
import { clientOf } from '../../local/dynamodb.ts';
import { httpEvent } from '../events.ts';

/** What the run is to do, as JSON in the first argument. */
export interface Told {
  readonly endpoint: string;
  readonly table: string;
  readonly key: string;
  readonly onUnknown?: 'rerun' | 'refuse';
  readonly lease: `${number}s`;
  /** `hang`: it says `hanging` when its first step is on record, and never ends. */
  readonly end: 'hang' | 'return' | 'decline' | 'fail';
  /** Over HTTP, by this caller. */
  readonly caller?: string;
}

const { endpoint, table, key, end, caller, onUnknown = 'rerun', lease }: Told = JSON.parse(process.argv[2] ?? '');
const store = dynamoDBStore({ client: clientOf({ endpoint }), tableName: table, cache: false });
const common = { store, onUnknown, lease, clockSkew: 1 } as const;

async function charge({ step }: { step: <T>(name: string, fn: () => T) => Promise<T> }): Promise<unknown> {
  const { chargeId } = await step('charge', () => ({ chargeId: `ch_${key}` }));
  if (end === 'decline') throw new TerminalError('the card was declined');
  if (end === 'fail') throw new Error('the provider does not answer');
  if (end === 'hang') {
    console.log('hanging');
    setInterval(() => {}, 1_000);
    await new Promise(() => {});
  }
  return { statusCode: 201, body: JSON.stringify({ chargeId }) };
}

const ended =
  caller === undefined
    ? runOnce({ ...common, scope: 'charge', key, payload: { order: key } }, charge)
    : idempotent((_: unknown, { idempotency }) => charge(idempotency), {
        ...common,
        scope: 'orders',
        principal: () => caller,
      })(httpEvent({ key, body: { order: key } }), { getRemainingTimeInMillis: () => 30_000 } as any);
await ended.then(
  (value) => console.log(JSON.stringify(value)),
  (error) => console.log(`${error}`),
);
