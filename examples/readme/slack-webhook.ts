import { createHmac, timingSafeEqual } from 'node:crypto';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { dynamoDBStore, idempotent } from 'effectively-once';

const reply = idempotent(
  async (event: APIGatewayProxyEventV2) => {
    const { event: mention } = JSON.parse(event.body ?? '');
    console.log(`${mention.user} said ${mention.text}`);
    return { statusCode: 200 };
  },
  {
    store: dynamoDBStore(),
    key: (event) => JSON.parse(event.body ?? '').event_id, // Ev…, the same in every retry
    fingerprint: (event) => JSON.parse(event.body ?? '').event,
  },
);

export const handler = async (event: APIGatewayProxyEventV2, context: Context) => {
  if (!isSigned(event)) return { statusCode: 401 };
  const { type, challenge } = JSON.parse(event.body ?? '');
  if (type === 'url_verification') return { statusCode: 200, body: challenge }; // it has no event
  return reply(event, context);
};

/** As https://docs.slack.dev/authentication/verifying-requests-from-slack says. */
function isSigned({ headers, body = '' }: APIGatewayProxyEventV2): boolean {
  const at = headers['x-slack-request-timestamp'] ?? '';
  if (Math.abs(Date.now() / 1_000 - Number(at)) > 300) return false;
  const hash = createHmac('sha256', process.env['SLACK_SECRET'] ?? '')
    .update(`v0:${at}:${body}`)
    .digest('hex');
  const [given, expected] = [Buffer.from(headers['x-slack-signature'] ?? ''), Buffer.from(`v0=${hash}`)];
  return given.length === expected.length && timingSafeEqual(given, expected);
}
