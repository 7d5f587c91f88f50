import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type AttributeValue, ScanCommand } from '@aws-sdk/client-dynamodb';
import { IdempotencyError, type IdempotencyErrorCode, runOnce } from 'effectively-once';
import { describe, expect, it, vi } from 'vitest';
import { ENVIRONMENT } from '../src/environment.ts';
import { HANDLER } from '../src/options.ts';
import { kafka } from './batches.ts';
import { createTable, engineClient } from './engine.ts';
import { httpEvent } from './events.ts';
import { runExamples } from './examples.ts';
import { lambdaContext } from './ways.ts';

const pathOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const read = (name: string) => readFileSync(pathOf(name), 'utf8');
/** The first cells of the rows of a page's tables. */
const rowsOf = (page: string) => [...read(page).matchAll(/^\| (.+) \|$/gm)].map(([, row = '']) => row.split(' | '));

/** With the members of its maps in one order: DynamoDB promises none. */
const inOrder = (attribute: AttributeValue): AttributeValue =>
  attribute.M ? { M: Object.fromEntries(Object.entries(attribute.M).sort(([a], [b]) => (a < b ? -1 : 1))) } : attribute;

/** `UPDATE_README=1 npm run unit` writes it anew. */
function expectShown(file: string, value: unknown): void {
  const spread = JSON.stringify(value, null, 2);
  const text = `${spread.replaceAll(/\{\s+("[A-Z]": ".*")\s+\}/g, '{ $1 }')}\n`; // an attribute takes a line
  if (process.env['UPDATE_README']) writeFileSync(pathOf(file), text);
  else expect(read(file)).toBe(text);
}

/** Of the modules that are loaded now: some tests load them anew. */
async function chargesOf(orderId: string): Promise<number> {
  const { charged } = await import('../examples/readme/payments.ts');
  return charged.filter((id) => id === orderId).length;
}

/** As the page has them. */
const ORDER = rowsOf('docs/items.md').flatMap(([cell = '']) =>
  [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
);

runExamples();
const order = { orderId: 'o-1', amount: 5 };
const event = httpEvent({ key: 'my-first-order', body: order });

it('docs/items.md shows the item that a first request leaves, and names its attributes', async () => {
  const client = engineClient();
  const TableName = await createTable(client);
  vi.stubEnv('IDEMPOTENCY_TABLE', TableName);
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'charge');
  vi.resetModules();
  const { handler } = await import('../examples/readme/handler.ts');
  const { payments } = await import('../examples/readme/payments.ts');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 10, 26, 12) });
  vi.spyOn(payments, 'charge').mockImplementationOnce(async (_, amount) => {
    vi.setSystemTime(Date.now() + 120); // the provider takes its time
    return { chargeId: 'ch-1', amount };
  });
  await handler(event, lambdaContext()).finally(() => vi.useRealTimers());
  const { Items = [] } = await client.send(new ScanCommand({ TableName }));
  const [item] = Items as [NonNullable<(typeof Items)[number]>];
  expect(item['owner']?.S).toMatch(/^[\w-]{20,}$/);
  const names = ORDER.filter((name) => name in item);
  expect(names.length).toBe(Object.keys(item).length);
  const owner = { S: '5f0c6c1e-8a1b-4c55-9d0e-2f1d6f3a7b10' };
  const shown = names.map((name) => [name, name === 'owner' ? owner : inOrder(item[name] as AttributeValue)]);
  expectShown('examples/readme/item.json', Object.fromEntries(shown));
});

it('docs/http.md shows the answer to a duplicate in flight', async () => {
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'charge');
  vi.resetModules();
  const { handler } = await import('../examples/readme/handler.ts');
  const { payments: asked } = await import('../examples/readme/payments.ts');
  const begun = Promise.withResolvers<void>();
  const charge = Promise.withResolvers<any>();
  vi.spyOn(asked, 'charge').mockImplementationOnce(() => {
    begun.resolve();
    return charge.promise;
  });
  const inFlight = httpEvent({ key: 'in-flight', body: order });
  const first = handler(inFlight, lambdaContext());
  await begun.promise;
  const { body }: any = await handler(inFlight, lambdaContext());
  expectShown('examples/readme/conflict.json', JSON.parse(body));
  charge.resolve({ chargeId: 'ch-1' });
  await first;
});

it('docs/errors.md has every code, with its status and whether it may be retried', () => {
  const rows = rowsOf('docs/errors.md').filter(([code]) => /^`[A-Z_]+`$/.test(code ?? ''));
  expect(rows.length).toBeGreaterThan(0);
  const told = rows.map(([code = '', status, retry]) => [code.slice(1, -1), Number(status), retry === 'yes']);
  const known = rows.map(([code = '']) => new IdempotencyError(code.slice(1, -1) as IdempotencyErrorCode, ''));
  expect(told).toEqual(known.map(({ code, statusCode, retryable }) => [code, statusCode, retryable]));
  const source = read('src/core/errors.ts').matchAll(/^ {2}([A-Z_]+): \{ name/gm);
  expect(told.map(([code]) => code).sort()).toEqual([...source].map(([, code]) => code).sort());
});

describe('docs/configuration.md', () => {
  const first = rowsOf('docs/configuration.md').flatMap(([cell = '']) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );

  it('has every option', () => {
    const batch = ['concurrency', 'lane', 'onTerminal', 'redelivery'];
    const store = ['tableName', 'client', 'cache', 'cacheFor', 'group'];
    expect(first).toEqual(expect.arrayContaining([...Object.keys(HANDLER), ...batch, ...store]));
  });

  it('has every variable', () => {
    expect(first).toEqual(expect.arrayContaining(Object.values(ENVIRONMENT)));
  });
});

it('docs/unknown.md: an operator decides', async () => {
  const { dynamoDBStore } = await import('effectively-once');
  const { decide } = await import('../examples/readme/resolve.ts');
  const pay = (fn: () => Promise<unknown>) =>
    runOnce({ store: dynamoDBStore(), scope: 'pay', key: 'o-9', lease: '1s', onUnknown: 'refuse' }, fn);
  vi.useFakeTimers({ toFake: ['Date'] });
  await new Promise<void>((begun) => {
    const dead = () => {
      begun();
      return new Promise(() => {});
    };
    void pay(dead);
  });
  vi.setSystemTime(Date.now() + 60_000);
  await expect(pay(async () => 0)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  await decide('o-9', 'ch-9');
  expect(await pay(async () => 0)).toEqual({ chargeId: 'ch-9' });
  vi.useRealTimers();
});

it('docs/kafka.md: a ride is charged once', async () => {
  const { handler } = await import('../examples/readme/rides.ts');
  const rides = [1, 2].map((at) => kafka.record({ at, value: { rideId: 'ride-1', fare: 5 } }));
  await handler(kafka.event(rides) as any, lambdaContext());
  expect(await chargesOf('ride-1')).toBe(1);
});

it('docs/errors.md: a caller is told what to do', async () => {
  const { chargeOrSay } = await import('../examples/readme/errors.ts');
  const { payments } = await import('../examples/readme/payments.ts');
  const charge = Promise.withResolvers<any>();
  const first = await new Promise<{ answer: Promise<unknown> }>((begun) => {
    vi.spyOn(payments, 'charge').mockImplementationOnce(() => {
      begun({ answer });
      return charge.promise;
    });
    const answer = chargeOrSay({ id: 'p-1', amount: 5 });
  });
  expect(await chargeOrSay({ id: 'p-1', amount: 5 })).toEqual({ comeBackAfterMs: 1_000 });
  charge.resolve({ chargeId: 'ch-1', amount: 5 });
  expect(await first.answer).toEqual({ charge: { chargeId: 'ch-1', amount: 5 } });
  expect(await chargeOrSay({ id: 'p-1', amount: 6 })).toMatchObject({ refused: 'MISMATCH' });
});

it('docs/step-functions.md: a state machine retries what may be retried, and catches by names that exist', () => {
  const { States } = JSON.parse(read('examples/readme/charge-task.asl.json'));
  const { Retry, Catch } = States.Charge;
  const names = (list: { ErrorEquals: string[] }[]) =>
    list.flatMap(({ ErrorEquals }) => ErrorEquals).filter((name) => name.startsWith('Idempotency'));
  const all = [...read('src/core/errors.ts').matchAll(/^ {2}([A-Z_]+): \{ name/gm)].map(
    ([, code]) => new IdempotencyError(code as IdempotencyErrorCode, ''),
  );
  const retryable = all.filter((error) => error.retryable).map(({ name }) => name);
  expect(names(Retry).sort()).toEqual(retryable.sort());
  expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(names(Catch)));
});
