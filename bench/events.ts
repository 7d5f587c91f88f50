import type { APIGatewayProxyEventV2, Context, SQSEvent } from 'aws-lambda';

let serial = 0;

/** A key that no run has used. */
export function freshKey(): string {
  serial++;
  return `${process.pid}-${serial}`;
}

/** What most handlers return here. */
export const RESPONSE = {
  statusCode: 201,
  headers: { 'content-type': 'application/json' },
  body: '{"ok":true,"orderId":"order-1"}',
};

/** What records of batches, and functions that are no handlers, return. */
export const ORDER = { orderId: 'order-1', total: 4200 };

const lines = Array.from({ length: 10 }, (_, index) => ({ sku: `sku-${index}`, quantity: index }));
/** About 280 bytes. */
const BODY = JSON.stringify({ orderId: 'order-1', amount: 12, lines });
const HEADERS = Object.fromEntries(Array.from({ length: 18 }, (_, index) => [`x-header-${index}`, `value-${index}`]));

export const context = (): Context => {
  const deadline = Date.now() + 30_000;
  const left = (): number => deadline - Date.now();
  return { functionName: 'orders', awsRequestId: 'request', getRemainingTimeInMillis: left } as Context;
};

/** From an HTTP API, with 20 headers. */
export function httpEvent(key: string, body = BODY): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    routeKey: 'POST /orders',
    rawPath: '/orders',
    rawQueryString: '',
    headers: { 'content-type': 'application/json', 'idempotency-key': key, ...HEADERS },
    requestContext: { http: { method: 'POST', path: '/orders' }, stage: '$default' },
    body,
    isBase64Encoded: false,
  } as unknown as APIGatewayProxyEventV2;
}

export function sqsEvent(keys: readonly string[]): SQSEvent {
  const record = {
    receiptHandle: 'handle',
    body: BODY,
    attributes: {},
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:orders',
    awsRegion: 'us-east-1',
  };
  return { Records: keys.map((messageId) => ({ ...record, messageId })) } as unknown as SQSEvent;
}
