import { SQSClient } from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';
import { type Engine, LOCAL } from './dynamodb.ts';

/** Starts the embedded SQS on a free loopback port, in memory. */
export async function startSqs(): Promise<Engine> {
  // Not `startFauxqs`, which listens on every interface.
  const app = buildApp({ logger: false, defaultRegion: LOCAL.region });
  const endpoint = await app.listen({ host: '127.0.0.1', port: 0 });
  return { endpoint, stop: () => app.close() };
}

export function sqsClientOf({ endpoint }: Pick<Engine, 'endpoint'>): SQSClient {
  return new SQSClient({ ...LOCAL, endpoint });
}
