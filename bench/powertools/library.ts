import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type middy from '@middy/core';
import type { Context } from 'aws-lambda';

/** What happens to a history's operations: `orderId` is their key, `payload` what must not change under it. */
export interface Event {
  orderId?: unknown;
  userId?: string;
  payload?: unknown;
}

export type Handler = (event: Event, context: Context) => unknown;
export type Call = (event: Event, context: Context) => Promise<unknown>;

export interface Operation {
  /** Namespace of its keys. */
  readonly scope?: string;
  /** The member that is the key, and perhaps one that names the caller. */
  readonly key?: readonly ['orderId'] | readonly ['payload'] | readonly ['userId', 'orderId'];
  /** Where comparing payloads is an option, it is taken. */
  readonly comparesPayload?: boolean;
  readonly retentionSeconds?: number;
  /** A request without a key is to run unprotected. */
  readonly mayLackKey?: boolean;
}

/** A library as a user would use it: the smallest set-up that its documentation shows for the operation. */
export interface Library {
  readonly name: string;
  /** A store; all operations that are wrapped by what it gives share it. */
  readonly open: (table: {
    readonly client: DynamoDBClient;
    readonly tableName: string;
    readonly hasCache?: boolean;
  }) => Opened;
  /** What `timeoutEarlyResponse` of Middy is given. */
  readonly earlyTimeout: <Response extends object>(respond: () => Response) => () => Response;
  /** An error of the library's own that asks for another try, as an inner operation may throw it. */
  readonly passingError: () => Error;
}

export interface Opened {
  /** A Lambda handler. */
  readonly handler: (operation: Operation, handler: Handler) => Call;
  /** A middleware for Middy. */
  readonly middleware: (operation: Operation) => middy.MiddlewareObj<any, any, any, any>;
  /** A function that is no handler; an invocation that will call it tells its context first, where a library asks for that. */
  readonly function: (operation: Operation, fn: (event: Event) => unknown) => FunctionCall;
}

export interface FunctionCall {
  readonly enter: (context: Context) => void;
  readonly call: (event: Event) => Promise<unknown>;
}
