import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { LOCAL } from '../local/dynamodb.ts';
import { kinesis } from './batches.ts';
import { createTable, engineClient, testApp } from './engine.ts';
import { httpEvent } from './events.ts';
import { lambdaContext, sqsRecord } from './ways.ts';

const pathOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const SNIPPET = /<!-- (examples\/[\w-]+\/[\w.-]+\.ts) -->\n```ts\n([\s\S]*?)```/g;

describe.each([
  'README.md',
  'docs/testing.md',
  'docs/events.md',
  'docs/results.md',
  'docs/sources.md',
  'docs/batches.md',
  'docs/constructs.md',
  'docs/telemetry.md',
])('%s', (page) => {
  const readme = readFileSync(pathOf(page), 'utf8');
  const snippets = [...readme.matchAll(SNIPPET)].map(([, file = '', code = '']) => ({ file, code }));

  it.each(snippets)('shows $file as it is', ({ file, code }) => {
    const source = readFileSync(pathOf(file), 'utf8');
    // `UPDATE_README=1 npm run unit` writes them anew.
    if (process.env['UPDATE_README']) {
      const current = readFileSync(pathOf(page), 'utf8');
      const written = current.replace(SNIPPET, (all, name, old) =>
        name === file ? all.replace(`\`\`\`ts\n${old}`, `\`\`\`ts\n${source}`) : all,
      );
      writeFileSync(pathOf(page), written);
    } else expect(code).toBe(source);
  });

  it('shows no code but that', () => {
    expect(readme.match(/```ts/g)).toHaveLength(snippets.length);
  });

  it('opens with a snippet that can be taken in at a glance; in the README with a handler of at most 20 lines', () => {
    const [{ file, code }] = snippets as [(typeof snippets)[number]];
    if (page === 'README.md') expect(file).toBe('examples/readme/handler.ts');
    expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(page === 'README.md' ? 20 : 30);
  });

  it('names scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(pathOf('package.json'), 'utf8'));
    for (const [, script = ''] of readme.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty(script);
  });
});

describe('its snippets run', () => {
  let charged: string[];
  beforeAll(async () => {
    vi.stubEnv('IDEMPOTENCY_TABLE', await createTable(engineClient()));
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'readme');
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', inject('endpoint'));
    vi.stubEnv('AWS_REGION', LOCAL.region);
    vi.stubEnv('AWS_ACCESS_KEY_ID', LOCAL.credentials.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', LOCAL.credentials.secretAccessKey);
    ({ charged } = await import('../examples/readme/payments.ts'));
  });
  afterAll(() => vi.unstubAllEnvs());
  beforeEach(() => {
    charged.length = 0;
    vi.spyOn(console, 'log').mockImplementation(() => {});
  });
  const order = { orderId: 'order-1', amount: 5 };

  it('handler', async () => {
    const { handler } = await import('../examples/readme/handler.ts');
    const event = httpEvent({ key: crypto.randomUUID(), body: order });
    const first: any = await handler(event, lambdaContext());
    expect(await handler(event, lambdaContext())).toEqual({ ...first, headers: { 'Idempotent-Replayed': 'true' } });
    expect(charged).toEqual(['order-1']);
  });

  it('events', async () => {
    const { idempotent } = await import('effectively-once');
    const { memoryStore, faulty } = await import('effectively-once/testing');
    const said: string[] = [];
    vi.spyOn(console, 'info').mockImplementation((line) => void said.push(line));
    vi.spyOn(console, 'warn').mockImplementation((line) => void said.push(line));
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { unsubscribe } = await import('../examples/readme/events.ts');
    const store = faulty(memoryStore());
    const handler = idempotent(async () => 'done', { store, key: (key: string) => key });
    await handler('a', lambdaContext());
    await handler('a', lambdaContext());
    store.next('update', 'refuse');
    await handler('b', lambdaContext());
    unsubscribe();
    expect(said.map((line) => JSON.parse(line))).toMatchObject([
      { type: 'replayed', scope: 'readme' },
      { type: 'unsure', scope: 'readme', why: 'completion' },
    ]);
  });

  it('stream, whose terminal records are buried', async () => {
    vi.spyOn(SQSClient.prototype, 'send').mockImplementation(async () => ({}));
    const { handler } = await import('../examples/readme/stream.ts');
    const orders = [
      { orderId: 'order-s1', amount: 5 },
      { orderId: 'order-s2', amount: 0 },
    ];
    const event = kinesis.event(orders.map((value, at) => kinesis.record({ at, value })));
    for (let delivery = 0; delivery < 2; delivery++) {
      expect(await handler(event, lambdaContext())).toEqual({ batchItemFailures: [] });
    }
    expect(charged).toEqual(['order-s1']);
    expect(SQSClient.prototype.send).toHaveBeenCalledTimes(2);
    vi.mocked(SQSClient.prototype.send).mockRestore();
  });

  it('redelivery', async () => {
    vi.stubEnv('DEAD_LETTERS', 'https://sqs.eu-central-1.amazonaws.com/123456789012/dead');
    const { handler } = await import('../examples/readme/redelivery.ts');
    const event = { Records: [sqsRecord(JSON.stringify({ orderId: 'order-r1', amount: 5 }))] };
    for (let delivery = 0; delivery < 2; delivery++) {
      expect(await handler(event, lambdaContext())).toEqual({ batchItemFailures: [] });
    }
    expect(charged).toEqual(['order-r1']);
  });

  it('chain, with authentication before idempotency', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {}); // before http-error-handler takes it for its logger
    const { handler } = await import('../examples/readme/chain.ts');
    const { verifier } = await import('../examples/readme/authenticate.ts');
    const issuer = tokens({ iss: 'https://idp.example.com', aud: 'orders', sub: 'alice' });
    verifier.cacheJwks({ keys: [issuer.jwk] });
    const event = httpEvent({ key: crypto.randomUUID() });
    const as = (token: string) =>
      handler({ ...event, headers: { ...event.headers, authorization: `Bearer ${token}` } }, lambdaContext());
    await as(issuer.token);
    expect(await as(issuer.token)).toMatchObject({ statusCode: 200, headers: { 'Idempotent-Replayed': 'true' } });
    expect(await as(`${issuer.token.slice(0, -2)}AA`)).toMatchObject({ statusCode: 401 });
  });

  it('load-balancer', async () => {
    const { handler, verifier } = await import('../examples/readme/load-balancer.ts');
    const { albArn } = (verifier as any).issuersConfig.values().next().value;
    const key = crypto.randomUUID();
    const send = (token: string) => {
      const headers = { 'idempotency-key': key, 'x-amzn-oidc-data': token };
      const event: any = { httpMethod: 'POST', path: '/orders', headers, body: '', requestContext: { elb: {} } };
      return handler(event, lambdaContext());
    };
    const users = ['alice', 'bob'].map((sub) =>
      tokens({ iss: 'https://idp.example.com', sub }, { signer: albArn, client: 'shop' }),
    );
    for (const { jwk, token } of users) {
      verifier.cacheJwks({ keys: [jwk] });
      expect(await send(token)).toEqual({ statusCode: 201 });
      expect(await send(token)).toMatchObject({ statusCode: 201, headers: { 'Idempotent-Replayed': 'true' } });
    }
    expect(await send('forged')).toEqual({ statusCode: 401 });
  });

  it('scheduler', async () => {
    const { handler } = await import('../examples/readme/scheduler.ts');
    const event = { schedule: 'arn', at: '2026-11-26T00:00:00Z', invoice: { id: 'invoice-1', amount: 5 } };
    const attempt = () => handler({ ...event, ...{ executionId: crypto.randomUUID() } }, lambdaContext());
    expect(await attempt()).toEqual(await attempt());
    expect(charged).toEqual(['invoice-1']);
  });

  it('step-functions', async () => {
    const { ARGUMENTS, handler } = await import('../examples/readme/step-functions.ts');
    const state = Object.fromEntries(Object.keys(ARGUMENTS.state).map((name) => [name, crypto.randomUUID()])) as any;
    const task = { state, order: { id: 'order-6', amount: 5 } };
    const attempt = () => handler({ ...task, ...{ taskToken: crypto.randomUUID() } }, lambdaContext());
    expect(await attempt()).toEqual(await attempt());
    expect(charged).toEqual(['order-6']);
  });

  it('socket', async () => {
    const { handler } = await import('../examples/readme/socket.ts');
    const requestId = crypto.randomUUID();
    const send = () => {
      const requestContext = { routeKey: 'order', eventType: 'MESSAGE', connectionId: crypto.randomUUID() };
      return handler({ requestContext, body: JSON.stringify({ requestId }) } as any, lambdaContext());
    };
    expect([await send(), await send()]).toEqual(Array(2).fill({ statusCode: 200, body: 'placed' }));
  });

  it('plain', async () => {
    const { handler } = await import('../examples/readme/plain.ts');
    const event: any = { 'detail-type': 'OrderPlaced', source: 'shop', detail: order };
    expect(await handler(event, lambdaContext())).toEqual(await handler(event, lambdaContext()));
    expect(charged).toEqual(['order-1']);
  });

  it('batch', async () => {
    const { handler } = await import('../examples/readme/batch.ts');
    const body = JSON.stringify({ ...order, orderId: 'order-2' });
    expect(await handler({ Records: [sqsRecord(body), sqsRecord(body)] }, lambdaContext())).toEqual({
      batchItemFailures: [],
    });
    expect(charged).toEqual(['order-2']);
  });

  it('run-once', async () => {
    const { chargeOnce } = await import('../examples/readme/run-once.ts');
    const order = { id: 'order-3', amount: 5 };
    expect(await chargeOnce(order)).toEqual(await chargeOnce(order));
    expect(charged).toEqual(['order-3']);
  });

  it('steps', async () => {
    vi.stubEnv('ORDERS_TABLE', await createTable(engineClient(), 'orderId'));
    const { handler } = await import('../examples/readme/steps.ts');
    const body = JSON.stringify({ ...order, orderId: 'order-4' });
    await handler({ Records: [sqsRecord(body)] }, lambdaContext());
    await handler({ Records: [sqsRecord(body)] }, lambdaContext());
    expect(charged).toEqual(['order-4']);
  });

  it('commit', async () => {
    const client = engineClient();
    const TableName = await createTable(client, 'account');
    vi.stubEnv('ACCOUNTS_TABLE', TableName);
    const { transferOnce } = await import('../examples/readme/commit.ts');
    await transferOnce('t-1', 'alice', 'bob', 5);
    await transferOnce('t-1', 'alice', 'bob', 5);
    const { Items } = await client.send(new ScanCommand({ TableName }));
    expect(Items?.map(({ balance }) => balance?.N).sort()).toEqual(['-5', '5']);
  });

  it('atomic', async () => {
    vi.stubEnv('ORDERS_TABLE', await createTable(engineClient(), 'orderId'));
    const { handler } = await import('../examples/readme/atomic.ts');
    const event = httpEvent({ key: crypto.randomUUID(), body: order });
    const first: any = await handler(event, lambdaContext());
    expect(first).toMatchObject({ statusCode: 201 });
    expect(await handler(event, lambdaContext())).toEqual({ ...first, headers: { 'Idempotent-Replayed': 'true' } });
  });

  it('unknown', async () => {
    const { payOnce } = await import('../examples/readme/unknown.ts');
    const order = { id: 'order-5', amount: 5 };
    expect(await payOnce(order)).toEqual(await payOnce(order));
    expect(charged).toEqual(['order-5']);
  });

  it('explore: it finds what the README says', async () => {
    const { isSafeToRetry } = await import('../examples/readme/explore.ts');
    const { message }: Error = await isSafeToRetry().then(
      () => expect.unreachable(),
      (error) => error,
    );
    expect(readFileSync(pathOf('README.md'), 'utf8')).toContain(`\`\`\`text\n${message}\n\`\`\``);
  });

  it("those of docs/testing.md, in Node's own test runner", () => {
    const files = ['faults', 'safe-to-retry'].map((name) => pathOf(`examples/testing/${name}.test.ts`));
    const { status, stdout } = spawnSync(
      process.execPath,
      ['--conditions=effectively-once-source', '--test', '--test-reporter=tap', ...files],
      { encoding: 'utf8', env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
    );
    expect(stdout).toContain('# pass 2');
    expect(status).toBe(0);
  });

  it('telemetry', async () => {
    const { runOnce, memoryStore } = await import('effectively-once');
    const lines: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(line));
    await import('../examples/readme/telemetry.ts');
    await runOnce({ store: memoryStore(), scope: 's', key: 'k', lease: '1s' }, () => 1);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ Scope: 's', Runs: 1 }]);
  });

  it('existing', async () => {
    const { ExistingStack } = await import('../examples/readme/existing.ts');
    const home = process.cwd();
    process.chdir(pathOf('test/readme-project'));
    const stack = new ExistingStack(testApp(), 'Existing');
    const variables = { IDEMPOTENCY_SCOPE: 'charge', IDEMPOTENCY_FUNCTION_TIMEOUT: '30s' };
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike(variables) },
    });
    Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue());
    process.chdir(home);
  });

  it('consumers', async () => {
    const { ConsumersStack } = await import('../examples/readme/consumers.ts');
    const home = process.cwd();
    process.chdir(pathOf('test/readme-project'));
    const app = testApp();
    const stack = new ConsumersStack(app, 'Consumers');
    Template.fromStack(stack).resourceCountIs('AWS::Lambda::EventSourceMapping', 3);
    Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue());
    process.chdir(home);
  });

  it('stack', async () => {
    const { PaymentsStack } = await import('../examples/readme/stack.ts');
    const app = testApp();
    const home = process.cwd();
    process.chdir(pathOf('test/readme-project')); // where its entries are
    Template.fromStack(new PaymentsStack(app, 'Payments')).resourceCountIs('AWS::Lambda::Function', 2);
    process.chdir(home);
  });

  it('monitoring', async () => {
    const { MonitoredStack } = await import('../examples/readme/monitoring.ts');
    const home = process.cwd();
    process.chdir(pathOf('test/readme-project'));
    const template = Template.fromStack(new MonitoredStack(testApp(), 'Monitored'));
    template.hasResourceProperties('AWS::CloudWatch::Alarm', { MetricName: 'Refusals_MISMATCH', Threshold: 10 });
    template.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
    process.chdir(home);
  });
});

it('docs/telemetry.md has every metric with its unit, and the constructs a method for each', async () => {
  const { METRICS } = await import('effectively-once/observe');
  const { IdempotentFunction } = await import('effectively-once/cdk');
  const page = readFileSync(pathOf('docs/telemetry.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| (Count|Milliseconds) \|/gm)].map(([, name, unit]) => [name, unit]);
  expect(rows).toEqual(Object.entries(METRICS));
  for (const name of Object.keys(METRICS)) expect(IdempotentFunction.prototype).toHaveProperty(`metric${name}`);
});

/** A signed token, and the key to verify it with. */
function tokens(claims: object, header: object = {}) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = crypto.randomUUID();
  const parts = [
    { alg: 'ES256', kid, exp: Math.ceil(Date.now() / 1_000) + 60, ...header },
    { exp: Math.ceil(Date.now() / 1_000) + 60, ...claims },
  ];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const jwk = {
    ...(publicKey.export({ format: 'jwk' }) as { kty: 'EC' }),
    kid,
    alg: 'ES256' as const,
    use: 'sig' as const,
  };
  return { jwk, token: `${signed}.${signature.toString('base64url')}` };
}
