import middy from '@middy/core';
import type {
  ALBEvent,
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  APIGatewayProxyResultV2,
  Context,
  EventBridgeEvent,
  Handler,
  SQSBatchResponse,
  SQSEvent,
  SQSRecord,
} from 'aws-lambda';
import {
  type Execution,
  type IdempotencyError,
  idempotent,
  idempotentBatch,
  isIdempotencyError,
  memoryStore,
  runOnce,
} from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { describe, expectTypeOf, it } from 'vitest';

type OrderPlaced = EventBridgeEvent<'OrderPlaced', { orderId: string; amount: number }>;
const store = memoryStore();

describe('no cast is needed', () => {
  it('in the Middy builder: event, result and context.idempotency are typed', () => {
    const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>()
      .use(idempotency({ store }))
      .handler(async (event, context) => {
        expectTypeOf(event.rawPath).toEqualTypeOf<string>();
        expectTypeOf(context.idempotency).toEqualTypeOf<Execution>();
        expectTypeOf(context.awsRequestId).toEqualTypeOf<string>();
        return { statusCode: 201 };
      });
    // Called by a unit test, and assigned as Lambda's handler.
    expectTypeOf(handler).toBeCallableWith({} as APIGatewayProxyEventV2, {} as Context);
    const call = () => handler({} as APIGatewayProxyEventV2, {} as Context);
    expectTypeOf(call).returns.resolves.toEqualTypeOf<APIGatewayProxyResultV2>();
    expectTypeOf(handler).toExtend<Handler<APIGatewayProxyEventV2, APIGatewayProxyResultV2>>();
  });

  it('in the Middy builder with options that look into the event', () => {
    middy<OrderPlaced, void>()
      .use(
        idempotency<OrderPlaced>({
          store,
          key: (event, context) => {
            expectTypeOf(event).toEqualTypeOf<OrderPlaced>();
            expectTypeOf(context).toEqualTypeOf<Context>();
            return event.detail.orderId;
          },
          fingerprint: (event) => {
            expectTypeOf(event).toEqualTypeOf<OrderPlaced>();
            return event.detail.amount;
          },
          principal: (event) => {
            expectTypeOf(event).toEqualTypeOf<OrderPlaced>();
            return event.account;
          },
        }),
      )
      .handler(async (event, { idempotency }) => {
        expectTypeOf(event.detail.amount).toEqualTypeOf<number>();
        expectTypeOf(idempotency.key).toEqualTypeOf<string | undefined>();
      });
  });

  it('in a chain around a handler, which declares its context itself', () => {
    const handler = middy(async (event: APIGatewayProxyEvent, context: Context & { idempotency: Execution }) => {
      return { statusCode: context.idempotency.attempt, body: event.path };
    }).use(idempotency({ store }));
    expectTypeOf(handler).toBeFunction();
  });

  it('but before .use the context has no idempotency', () => {
    middy<ALBEvent, void>().handler(async (_, context) => {
      // @ts-expect-error nobody has claimed anything
      context.idempotency;
    });
  });

  it('in the wrapper: the event reaches key, fingerprint, principal and handler', () => {
    const handler = idempotent(
      async (event: OrderPlaced, context) => {
        expectTypeOf(context.idempotency).toEqualTypeOf<Execution>();
        expectTypeOf(context.awsRequestId).toEqualTypeOf<string>();
        return event.detail.amount;
      },
      {
        store,
        key: (event) => {
          expectTypeOf(event).toEqualTypeOf<OrderPlaced>();
          return event.detail.orderId;
        },
        fingerprint: (event) => {
          expectTypeOf(event).toEqualTypeOf<OrderPlaced>();
          return event.detail;
        },
        principal: (event) => {
          expectTypeOf(event).toEqualTypeOf<OrderPlaced>();
          return event.account;
        },
      },
    );
    expectTypeOf(handler).toEqualTypeOf<(event: OrderPlaced, context: Context) => Promise<number>>();
  });

  it('in the batch: the record reaches key and handler, and Lambda gets its response', () => {
    const handler = idempotentBatch(
      async (record, context) => {
        expectTypeOf(record).toEqualTypeOf<SQSRecord>();
        expectTypeOf(context.idempotency).toEqualTypeOf<Execution>();
      },
      {
        store,
        key: (record) => {
          expectTypeOf(record).toEqualTypeOf<SQSRecord>();
          return JSON.parse(record.body).orderId;
        },
        concurrency: 5,
      },
    );
    expectTypeOf(handler).toExtend<(event: SQSEvent, context: Context) => Promise<SQSBatchResponse>>();
  });

  it('in runOnce: the value comes back as what it is', () => {
    const options = { store, scope: 'charge', key: 'k', payload: { amount: 1 }, lease: '30s' } as const;
    const call = () =>
      runOnce(options, async (execution) => {
        expectTypeOf(execution).toEqualTypeOf<Execution>();
        return { receipt: 'r' };
      });
    expectTypeOf(call).returns.resolves.toEqualTypeOf<{ receipt: string }>();
  });

  it('in the guard of errors', () => {
    const error: unknown = undefined;
    if (isIdempotencyError(error)) expectTypeOf(error).toEqualTypeOf<IdempotencyError>();
  });
});

describe('what is wrong is refused by the compiler', () => {
  it('options', () => {
    // @ts-expect-error no such option
    () => idempotent(async () => 1, { store, keys: () => 'k' });
    // @ts-expect-error no such unit
    () => idempotent(async () => 1, { store, retention: '5 parsecs' });
    // @ts-expect-error a store is needed
    () => idempotent(async () => 1, {});
    // @ts-expect-error a lease is needed where no invocation limits it
    () => runOnce({ store, scope: 's', key: 'k' }, () => 1);
  });
});
