import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Store } from '../src/core/store.ts';

/** One word of the command. */
export interface Command {
  /** With its arguments, as they are shown: `show [id]`. */
  readonly name: string;
  readonly summary: string;
  /** As Commander takes them: `--state <states>`, and what it says of them. */
  readonly options: readonly (readonly [flags: string, description: string])[];
  /** Whether it works on a table, and takes `--table` and its like. */
  readonly isOnTable: boolean;
  /** Loaded when it is called. Gives the exit code. */
  readonly load: () => Promise<Run>;
}

type Run = (call: Call) => Promise<number>;

/** A call of a command. */
export interface Call {
  readonly args: readonly string[];
  /** By their names in camel case; what was not given is undefined. */
  readonly options: Readonly<Record<string, any>>;
  /** Throws if no table is named. */
  readonly connect: () => Connection;
}

export interface Connection {
  readonly store: Store;
  readonly client: DynamoDBClient;
  readonly table: string;
}
