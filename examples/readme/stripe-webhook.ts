import { createHmac, timingSafeEqual } from 'node:crypto';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { dynamoDBStore, idempotent } from 'effectively-once';

const bodyOf = ({ body = '', isBase64Encoded }: APIGatewayProxyEventV2) =>
  isBase64Encoded ? Buffer.from(body, 'base64').toString() : body;

const fulfil = idempotent(
  async (event: APIGatewayProxyEventV2) => {
    const { type, data } = JSON.parse(bodyOf(event));
    console.log(`${type} of ${data.object.id}`);
    return { statusCode: 200 };
  },
  {
    store: dynamoDBStore(),
    key: (event) => JSON.parse(bodyOf(event)).id, // evt_…, the same at every delivery
    fingerprint: (event) => JSON.parse(bodyOf(event)).data, // not `pending_webhooks`, which counts deliveries
    retention: '30d', // Stripe tries for days, and a person can send an event again later
  },
);

export const handler = async (event: APIGatewayProxyEventV2, context: Context) =>
  isSigned(event) ? fulfil(event, context) : { statusCode: 400 };

/** As https://docs.stripe.com/webhooks/signature says; the package `stripe` has it as `constructEvent`. */
function isSigned(event: APIGatewayProxyEventV2): boolean {
  const header = new URLSearchParams(event.headers['stripe-signature']?.replaceAll(',', '&'));
  const at = header.get('t') ?? '';
  if (Math.abs(Date.now() / 1_000 - Number(at)) > 300) return false;
  const expected = createHmac('sha256', process.env['STRIPE_SECRET'] ?? '')
    .update(`${at}.${bodyOf(event)}`)
    .digest();
  return header.getAll('v1').some((given) => isEqual(Buffer.from(given, 'hex'), expected));
}

const isEqual = (left: Buffer, right: Buffer) => left.length === right.length && timingSafeEqual(left, right);
