import { randomUUID } from 'node:crypto';
import { expect, inject, it } from 'vitest';
import { LOCAL } from '../../local/dynamodb.ts';
import { fetchLocally } from '../../local/fetch.ts';
import { type EmfDocument, emfDocument, metricsIn } from '../observe/emf-documents.ts';
import { output, post } from './world.ts';

/** Asks CloudWatch Logs. The local one checks no signature, but reads the service from it. */
async function logs<T>(operation: string, input: object): Promise<T> {
  const credential = `${LOCAL.credentials.accessKeyId}/20260101/${LOCAL.region}/logs/aws4_request`;
  const response = await fetchLocally(inject('cloud').endpoint, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-amz-json-1.1',
      'X-Amz-Target': `Logs_20140328.${operation}`,
      Authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(input),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

/** The metrics that a function of the example has written to its log. */
async function documentsOf(prefix: string): Promise<EmfDocument[]> {
  const logGroupNamePrefix = `/aws/lambda/Orders-${prefix}`;
  const { logGroups } = await logs<{ logGroups: { logGroupName: string }[] }>('DescribeLogGroups', {
    logGroupNamePrefix,
  });
  const lists = logGroups.map(({ logGroupName }) =>
    logs<{ events: { message: string }[] }>('FilterLogEvents', { logGroupName }),
  );
  const lines = (await Promise.all(lists)).flatMap(({ events }) =>
    events.flatMap(({ message }) => message.split('\n')),
  );
  return lines.filter((line) => line.includes('"_aws"')).map(emfDocument);
}

it('the functions of the example write their metrics: the monitoring has turned them on, and their code knows nothing of it', async () => {
  const order = { item: 'book', amount: 1_000 };
  const headers = { 'Idempotency-Key': randomUUID() };
  for (let time = 0; time < 2; time++) await post(`${output('Orders', 'ApiUrl')}/orders`, order, headers);
  const runs = async (prefix: string) => (await documentsOf(prefix)).map(metricsIn);
  const options = { timeout: 30_000, interval: 250 };
  await expect.poll(() => runs('PlaceOrder'), options).toContainEqual({ Replays: 1, DuplicatesStopped: 1 });
  const run = { Runs: 1, RunDuration: [expect.any(Number)] };
  expect(await runs('PlaceOrder')).toContainEqual(run);
  await expect.poll(() => runs('ChargeOrder'), options).toContainEqual(run);
  expect(await documentsOf('ChargeOrder')).toContainEqual(
    expect.objectContaining({ Scope: 'charge-order', Source: 'sqs' }),
  );
});
