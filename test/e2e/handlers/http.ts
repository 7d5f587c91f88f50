import type { APIGatewayProxyEventV2WithLambdaAuthorizer, Context } from 'aws-lambda';
import { dynamoDBStore, idempotent } from 'effectively-once';
import { fail, type Job, perform } from './job.ts';

type Event = APIGatewayProxyEventV2WithLambdaAuthorizer<{ readonly caller: string }>;

const performOnce = idempotent(
  async (event: Event, { idempotency }) => {
    const done = await perform(jobIn(event), idempotency);
    return { statusCode: 201, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(done) };
  },
  { store: dynamoDBStore(), principal: ({ requestContext }) => requestContext.authorizer.lambda.caller },
);

const TOLD = {
  missing: undefined,
  'an hour': () => 3_600_000,
};

export async function handler(event: Event, context: Context) {
  const { fault, remaining } = jobIn(event);
  const told = remaining ? { ...context, getRemainingTimeInMillis: TOLD[remaining] } : context;
  const answer = await performOnce(event, told as Context);
  const isFirst = !('Idempotent-Replayed' in (answer.headers ?? {}));
  if (fault?.at === 'outcome' && isFirst) await fail(fault);
  return answer;
}

function jobIn({ body }: Event): Job {
  return JSON.parse(body ?? '{}');
}
