import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { MutationObserver, QueryClient } from '@tanstack/query-core';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { dynamoDBStore } from 'effectively-once';
import { inspect, recordId } from 'effectively-once/operator';
import { describe, expect, it, vi } from 'vitest';
import { charged, payments } from '../examples/readme/payments.ts';
import { slug } from '../site/slug.ts';
import { kinesis } from './batches.ts';
import { testApp } from './cdk/assemblies.ts';
import { browser } from './client/browser.ts';
import { scripted } from './client/scripted.ts';
import { createTable, engineClient } from './engine.ts';
import { httpEvent } from './events.ts';
import { runExamples } from './examples.ts';
import { claimed } from './stores/contract.ts';
import { lambdaContext, sqsRecord } from './ways.ts';

const pathOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const read = (name: string) => readFileSync(pathOf(name), 'utf8');

/** A file that is shown as it is: its path, its language, its text. */
const SNIPPET = /<!-- ((?:examples|bench)\/[\w/.-]+) -->\n```(\w+)\n([\s\S]*?)```/g;
const LANGUAGE: Readonly<Record<string, string>> = { ts: 'ts', json: 'json', yaml: 'yaml', yml: 'yaml', tf: 'hcl' };

/** What no file holds: commands, output, diagrams, and settings of other tools. */
const FREE = ['sh', 'console', 'text', 'mermaid', 'js'];

const PAGES = ['README.md', ...globSync('docs/*.md', { cwd: pathOf('.') }).sort()];

describe.each(PAGES)('%s', (page) => {
  const text = read(page);
  const snippets = [...text.matchAll(SNIPPET)].map(([, file = '', language, code = '']) => ({ file, language, code }));

  it.each(snippets)('shows $file as it is', ({ file, language, code }) => {
    expect(language).toBe(LANGUAGE[file.split('.').at(-1) ?? '']);
    // `UPDATE_README=1 npm run unit` writes them anew.
    if (process.env['UPDATE_README']) {
      const current = read(page);
      const written = current.replace(SNIPPET, (all, name) =>
        name === file ? `<!-- ${file} -->\n\`\`\`${language}\n${read(file)}\`\`\`` : all,
      );
      writeFileSync(pathOf(page), written);
    } else expect(code).toBe(read(file));
  });

  it('shows no code but that', () => {
    const languages = [...text.matchAll(/^```(\w*)\n/gm)].map(([, language = '']) => language);
    expect(languages.filter((language) => language && !FREE.includes(language))).toHaveLength(snippets.length);
  });

  it('opens with a title and a paragraph that can be read alone, and its first snippet can be taken in at a glance', () => {
    const [, paragraph = ''] = /^# .+\n\n([^#|<\n][\s\S]*?)\n\n/.exec(text) ?? [];
    expect(paragraph.length).toBeGreaterThan(80);
    const [first] = snippets.filter(({ language }) => language === 'ts');
    if (page === 'README.md') expect(first?.file).toBe('examples/readme/handler.ts');
    const lines = first?.code.trimEnd().split('\n').length ?? 0;
    expect(lines).toBeLessThanOrEqual(page === 'README.md' ? 20 : 36);
  });

  it('names scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json'));
    for (const [, script = ''] of text.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty(script);
  });

  it('links to what the tarball has', () => {
    const dead = linksOf(page).filter((link) => !leads(page, link));
    expect(dead).toEqual([]);
  });
});

const SHIPPED = [
  ...PAGES,
  ...globSync('docs/*.{png,svg}', { cwd: pathOf('.') }),
  ...['CHANGELOG.md', 'SECURITY.md', 'LICENSE'],
];

function linksOf(page: string): string[] {
  const prose = read(page).replace(/^```[\s\S]*?^```/gm, '');
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => !/^https?:/.test(link));
}

function leads(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#', 2);
  const target = path === '' ? page : posix.join(posix.dirname(page), path);
  if (!SHIPPED.includes(target)) return false;
  if (anchor === undefined) return true;
  const headings = [...read(target).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading));
  return headings.includes(anchor);
}

it('every example is shown, or used by one that is', () => {
  const all = globSync('examples/{readme,testing,without-constructs,powertools}/*.*', { cwd: pathOf('.') });
  const shown = new Set(PAGES.flatMap((page) => [...read(page).matchAll(SNIPPET)].map(([, file = '']) => file)));
  const used = (file: string) => all.some((other) => read(other).includes(`'./${posix.basename(file)}'`));
  expect(all.filter((file) => !shown.has(file) && !used(file))).toEqual([]);
});

describe('its snippets run', () => {
  runExamples();
  const order = { orderId: 'order-1', amount: 5 };

  it('operate', async () => {
    const { settlePayments } = await import('../examples/readme/operate.ts');
    await payments.charge('charged', 5);
    const store = dynamoDBStore();
    const ids = ['charged', 'lost'].map((key) => recordId({ scope: 'pay', key }));
    for (const [index, key] of ['charged', 'lost'].entries()) {
      const next = claimed({ id: `${ids[index]}`, identity: { key }, leaseUntil: 1 });
      await store.write({ kind: 'insert', next });
    }
    expect((await settlePayments(`${process.env['IDEMPOTENCY_TABLE']}`)).sort()).toEqual([...ids].sort());
    expect(await inspect(store, `${ids[0]}`)).toMatchObject({ state: 'completed', outcome: { value: { amount: 5 } } });
    expect(await inspect(store, `${ids[1]}`)).toMatchObject({ state: 'released' });
  });

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
    vi.stubEnv('IDEMPOTENCY_DEAD_LETTER_QUEUE_URL', 'https://sqs.eu-central-1.amazonaws.com/123456789012/dead');
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

  it('explore: it finds what the page about testing says', async () => {
    const { isSafeToRetry } = await import('../examples/readme/explore.ts');
    const { message }: Error = await isSafeToRetry().then(
      () => expect.unreachable(),
      (error) => error,
    );
    expect(read('docs/testing.md')).toContain(`\`\`\`text\n${message}\n\`\`\``);
  });

  it('client', async () => {
    const server = scripted(503, { status: 201, body: { orderId: 'o-1' } }, 402);
    vi.stubGlobal('fetch', server.fetch);
    const said = vi.spyOn(console, 'info').mockImplementation(() => {});
    const { placeOrder } = await import('../examples/readme/client.ts');
    expect(await placeOrder({ item: 'book', amount: 5 })).toEqual({ orderId: 'o-1' });
    expect(said.mock.calls).toMatchObject([
      [{ attempt: 1, status: 503 }],
      [{ status: 201, attempts: 2, replayed: false, key: server.keys()[1] }],
    ]);
    await expect(placeOrder({ item: 'book', amount: 5 })).rejects.toThrow('no order: 402');
    vi.unstubAllGlobals();
  });

  it('intent and tanstack: clicks that are one order', async () => {
    const orders = new Map<string | null, string>();
    const server = scripted(({ headers }) => {
      const key = headers.get('idempotency-key');
      orders.set(key, orders.get(key) ?? `o-${orders.size + 1}`);
      return Response.json({ orderId: orders.get(key) }, { status: 201 });
    });
    vi.stubGlobal('fetch', server.fetch);
    vi.stubGlobal('localStorage', browser().storage);
    const { continueShopping, placeOrder } = await import('../examples/readme/intent.ts');
    const { placeOrderMutation } = await import('../examples/readme/tanstack.ts');
    const cart = { items: ['book'] };
    const mutation = new MutationObserver(new QueryClient(), placeOrderMutation);
    const clicks = await Promise.all([mutation.mutate(cart), placeOrder(cart), placeOrder({ items: ['book'] })]);
    expect(clicks).toEqual(Array(3).fill({ orderId: 'o-1' }));
    expect(server.requests).toHaveLength(1);
    expect(await mutation.mutate(cart)).toEqual({ orderId: 'o-1' });
    await continueShopping();
    expect(await placeOrder(cart)).toEqual({ orderId: 'o-2' });
    vi.unstubAllGlobals();
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

  it('on-call', async () => {
    const { OnCallStack } = await import('../examples/readme/on-call.ts');
    const template = Template.fromStack(new OnCallStack(testApp(), 'OnCall'));
    const policies = Object.values(template.findResources('AWS::IAM::ManagedPolicy'));
    const writes = policies.map(({ Properties }) => JSON.stringify(Properties).includes('dynamodb:PutItem'));
    expect(writes).toEqual([false, true]);
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
