import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyResultV2, EventBridgeEvent, SQSRecord } from 'aws-lambda';
import { idempotent, idempotentBatch, runOnce, TerminalError } from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { explore } from 'effectively-once/testing';
import { describe, expect, it, vi } from 'vitest';
import { httpEvent } from '../events.ts';
import { sqsRecord } from '../ways.ts';

type OrderPlaced = EventBridgeEvent<'OrderPlaced', { orderId: string; amount: number }>;
const event = { 'detail-type': 'OrderPlaced', source: 'shop', detail: { orderId: 'o-1', amount: 5 } } as OrderPlaced;
const options = { scope: 'orders', key: (event: OrderPlaced) => event.detail.orderId };

const charge = async (orderId: string, _idempotencyKey?: string) => ({ chargeId: `charge of ${orderId}` });
const keyed = { run: charge, key: (_: string, idempotencyKey?: string) => idempotencyKey };
const email = (_to: string) => {};

const pointsOf = (findings: readonly { effect: string; point: string }[], effect: string) =>
  findings.filter((finding) => finding.effect === effect).map(({ point }) => point);

describe('explore', () => {
  it('finds the double charge of a naive handler, and names its points', async () => {
    const report = await explore(
      ({ store, effects }) =>
        idempotent(async ({ detail }: OrderPlaced) => effects.charge(detail.orderId), { store, ...options }),
      { event, effects: { charge } },
    );
    console.log(report.text);
    expect(pointsOf(report.doubles, 'charge')).toEqual([]);
  });
});
