import { afterAll, beforeAll, beforeEach, inject, vi } from 'vitest';
import { charged } from '../examples/readme/payments.ts';
import { LOCAL } from '../local/dynamodb.ts';
import { createTable, engineClient } from './engine.ts';

/** Lets the tests of a file run the examples: with a table, an environment as Lambda has it, and nothing on the console. */
export function runExamples(): void {
  beforeAll(async () => {
    vi.stubEnv('IDEMPOTENCY_TABLE', await createTable(engineClient()));
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'readme');
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', inject('endpoint'));
    vi.stubEnv('AWS_REGION', LOCAL.region);
    vi.stubEnv('AWS_ACCESS_KEY_ID', LOCAL.credentials.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', LOCAL.credentials.secretAccessKey);
  });
  afterAll(() => vi.unstubAllEnvs());
  beforeEach(() => {
    charged.length = 0;
    vi.spyOn(console, 'log').mockImplementation(() => {});
  });
}
