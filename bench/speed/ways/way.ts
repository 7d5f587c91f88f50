import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ORDER, RESPONSE } from '../../events.ts';
import { TABLE } from '../engine.ts';

/** One way to do things once. */
export interface Way {
  readonly name: string;
  /** Each is opened on a client of its own: one library adds middleware to the client that it is given. */
  readonly doors: { readonly [D in Door]?: (setting: Setting) => Run };
}

export type Door = 'handler' | 'Middy' | 'batch of 10' | 'runOnce' | 'commit' | 'atomic';

/** Does what the key names, once: a new key is a first run, a known one a duplicate. */
export type Run = (key: string) => Promise<any>;

export interface Setting {
  readonly client: DynamoDBClient;
  readonly table: string;
  /** Whether this process keeps outcomes; by default it is as the library has it. */
  readonly cache?: boolean;
  /** Of HTTP events. */
  readonly body?: string;
  /** What the handler of an HTTP event does. */
  readonly respond: () => unknown;
  /** What the handler of a record, or a function, does. */
  readonly work: () => unknown;
  /** How many records a batch has; 10 if not said. */
  readonly records: number;
  readonly concurrency?: number;
}

export function setting(client: DynamoDBClient, more: Partial<Setting> = {}): Setting {
  return { client, table: TABLE, respond: () => ({ ...RESPONSE }), work: () => ORDER, records: 10, ...more };
}

/** Keys of the records of the batch that `key` names. */
export function keysOf(key: string, { records }: Setting): string[] {
  return Array.from({ length: records }, (_, index) => `${key}-${index}`);
}
