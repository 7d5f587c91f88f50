import { test } from 'node:test';
import type { APIGatewayProxyEventV2, SQSEvent } from 'aws-lambda';
import { explore } from 'effectively-once/testing';
import { createHandler as chargeOrder } from '../src/charge-order.ts';
import type { Order } from '../src/orders.ts';
import { createHandler as placeOrder } from '../src/place-order.ts';

// Each runs with a crash at every point and with every answer lost, is retried, and must have its effect once.
process.env['IDEMPOTENCY_SCOPE'] = 'test';

test('an order is charged once', async () => {
  const report = await explore(({ store, effects }) => chargeOrder(store, effects.charge), {
    event: { Records: [{ messageId: 'm-1', body: JSON.stringify({ orderId: 'o-1', amount: 5 }) }] } as SQSEvent,
    effects: {
      charge: {
        run: async (orderId: string, _amount: number, _key: string) => `charge of ${orderId}`,
        key: (_orderId: string, _amount: number, key: string) => key, // the provider charges once for each
      },
    },
  });
  report.assert();
});

test('a request places one order', async () => {
  const event = {
    version: '2.0',
    rawPath: '/orders',
    headers: { 'idempotency-key': 'k-1' },
    requestContext: { http: { method: 'POST' } },
    body: JSON.stringify({ amount: 5 }),
  } as unknown as APIGatewayProxyEventV2;
  const report = await explore(({ store, effects }) => placeOrder(store, effects.send), {
    event,
    effects: {
      send: {
        run: async (_order: Order) => {},
        key: ({ orderId }: Order) => orderId, // a second message of one order is charged once
      },
    },
  });
  report.assert();
});
