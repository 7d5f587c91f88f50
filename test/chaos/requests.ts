import type { Asked } from '../../local/fault-proxy.ts';

export type FunctionName = 'place-order' | 'relay-orders' | 'charge-order';

/** What the functions ask AWS for, in the order in which it happens to an order. */
export type Kind =
  | 'claim of an order'
  | 'commit'
  | 'sending of an outbox'
  | 'claim of a charge'
  | 'charge'
  | 'record of a charge'
  | 'record of an outcome';

export interface Recognised {
  readonly of: FunctionName;
  /** Absent: a release, an extension, a fence, a read; nothing is planned for those. */
  readonly kind?: Kind;
  /** The id of the idempotency record that it is about. */
  readonly record?: string;
  readonly orders: readonly string[];
  /** By it DynamoDB knows a transaction that is sent again. */
  readonly token?: string;
  readonly attempt?: number;
  /** Epoch ms. */
  readonly leaseUntil?: number;
  /** How many writes of its kind a group holds. */
  readonly size?: number;
}

/** What a request is, told from the request alone. `orderOf` knows whose record an id names. */
export function recognise({ operation, body }: Asked, orderOf: (record: string) => string | undefined): Recognised {
  const input = JSON.parse(body);
  const about = (record: string): Pick<Recognised, 'of' | 'record' | 'orders'> => {
    const order = orderOf(record);
    return { of: functionOf(record), record, orders: order === undefined ? [] : [order] };
  };
  switch (operation) {
    case 'PutItem': {
      const { id, attempt, leaseUntil } = input.Item;
      if (!leaseUntil) return about(id.S); // it takes the place of a claim that was given up
      const kind = functionOf(id.S) === 'place-order' ? 'claim of an order' : 'claim of a charge';
      return { ...about(id.S), kind, attempt: Number(attempt.N), leaseUntil: Number(leaseUntil.N) };
    }
    case 'TransactWriteItems':
      return { ...about(input.TransactItems[0].Update.Key.id.S), kind: 'commit', token: input.ClientRequestToken };
    case 'UpdateItem': {
      const { id, orderId } = input.Key;
      if (orderId) return { of: 'charge-order', kind: 'charge', orders: [orderId.S] };
      const kind = UPDATES.find(([name]) => name.test(input.UpdateExpression))?.[1];
      return { ...about(id.S), ...(kind && { kind }) };
    }
    case 'BatchExecuteStatement': {
      const all = input.Statements.map(claimOrRecord).filter(({ kind }: Statement) => kind);
      // Claims and outcomes in one group count as claims.
      const kind: Kind | undefined =
        all.find((one: Statement) => one.kind === 'claim of a charge')?.kind ?? all[0]?.kind;
      const orders = all.flatMap(({ id }: Statement) => orderOf(id) ?? []);
      const leaseUntil = Math.min(...all.map(({ leaseUntil = Number.POSITIVE_INFINITY }: Statement) => leaseUntil));
      return { of: 'charge-order', orders, attempt: 1, leaseUntil, size: all.length, ...(kind && { kind }) };
    }
    case 'SendMessageBatch': {
      const orders = input.Entries.map((entry: { MessageBody: string }) => JSON.parse(entry.MessageBody).orderId);
      return { of: 'relay-orders', kind: 'sending of an outbox', orders };
    }
    default:
      return { of: 'charge-order', orders: [] };
  }
}

const UPDATES: readonly (readonly [RegExp, Kind])[] = [
  [/#step/, 'record of a charge'],
  [/\boutcome = /, 'record of an outcome'],
];

/** A statement of a group, as far as something is planned for it. */
interface Statement {
  readonly id: string;
  readonly kind?: Kind;
  readonly leaseUntil?: number;
}

function claimOrRecord({ Statement: text, Parameters }: { Statement: string; Parameters: any[] }): Statement {
  if (!text.startsWith('INSERT')) {
    const id = Parameters.at(-2).S;
    return text.includes('"outcome"') ? { id, kind: 'record of an outcome' } : { id };
  }
  const names = [...text.matchAll(/'(\w+)': \?/g)].map(([, name]) => name);
  const id = Parameters[names.indexOf('id')].S;
  const lease = Parameters[names.indexOf('leaseUntil')];
  return lease ? { id, kind: 'claim of a charge', leaseUntil: Number(lease.N) } : { id };
}

function functionOf(record: string): FunctionName {
  return record.startsWith('place-order#') ? 'place-order' : 'charge-order';
}

/** The process that asks; the run has its functions say it as the id of their app. */
export function workerOf({ headers }: Asked): number {
  return Number(/\bapp\/(\d+)/.exec(String(headers['user-agent']))?.[1]);
}

/** The invocation that asks: traced, each has a root of its own. */
export function invocationOf({ headers }: Asked): string {
  return /Root=([\w-]+)/.exec(String(headers['x-amzn-trace-id']))?.[1] ?? '';
}
