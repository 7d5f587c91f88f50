import { randomUUID } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { fetchLocally } from '../../local/fetch.ts';
import { type Answer, drained, effectsOf, expectOneEffect, output, post, send, tables } from './world.ts';

const url = `${output('Orders', 'ApiUrl')}/orders`;
const queue = output('Orders', 'QueueUrl');
const BOOK = { item: 'book', amount: 1_000 };

const place = (key: string, order: object = BOOK): Promise<Answer> => post(url, order, { 'Idempotency-Key': key });

/** Waits for the charge, and for whatever might charge again. */
async function expectPlacedAndChargedOnce(orderId: string): Promise<void> {
  const order = await fetchLocally(`${url}/${orderId}`);
  expect(await order.json()).toEqual({ orderId, ...BOOK });
  const charges = async () => (await effectsOf('Orders', orderId)).length;
  await expect.poll(charges, { timeout: 30_000, interval: 250 }).toBeGreaterThan(0);
  await drained(queue);
  await expectOneEffect('Orders', orderId);
}

async function ledgerSize(): Promise<number> {
  const { Count } = await tables.send(
    new ScanCommand({ TableName: output('Orders', 'LedgerTableName'), Select: 'COUNT' }),
  );
  return Count ?? 0;
}

describe('a visitor of GET /', () => {
  it('is shown the shop, which brings its script with it and may ask nobody but its API', async () => {
    const page = await fetchLocally(output('Orders', 'ApiUrl'));
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'sha256-.{44}'; /);
    const html = await page.text();
    expect(html).toContain('Place order');
    expect(html).toContain('idempotent-replayed'); // the client knows it
    expect(html).not.toMatch(/<(script|link|img)[^>]* (src|href)="(?!data:)/);
  });
});

describe('a client of POST /orders', () => {
  it('places an order, which is charged once', async () => {
    const key = randomUUID();
    const first = await place(key);
    expect(first).toMatchObject({ status: 201, isReplay: false });
    expect(JSON.parse(first.body)).toEqual({ orderId: key, ...BOOK });
    await expectPlacedAndChargedOnce(key);
  });

  it('that asks again gets the same answer, byte for byte, and is told that it is a replay', async () => {
    const key = randomUUID();
    const first = await place(key);
    const second = await place(key);
    expect(second).toMatchObject({ status: 201, isReplay: true, body: first.body });
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'));
    await expectPlacedAndChargedOnce(key);
  });

  it('that asks 20 times at once gets one order; who does not get it is told to come back', async () => {
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => place(key)));
    const placed = answers.filter(({ status }) => status === 201);
    const refused = answers.filter(({ status }) => status === 409);
    expect(placed.length + refused.length).toBe(20);
    expect(placed.filter(({ isReplay }) => !isReplay)).toHaveLength(1);
    expect(new Set(placed.map(({ body }) => body)).size).toBe(1);
    expect(refused.every(({ headers }) => Number(headers.get('retry-after')) > 0)).toBe(true);
    expect(await place(key)).toMatchObject({ status: 201, isReplay: true, body: placed[0]?.body });
    await expectPlacedAndChargedOnce(key);
  });

  it('that asks for something else under the same key is refused with 422', async () => {
    const key = randomUUID();
    await place(key);
    const other = await place(key, { ...BOOK, amount: 9_900 });
    expect(other.status).toBe(422);
    expect(JSON.parse(other.body)).toMatchObject({ code: 'MISMATCH' });
    await expectPlacedAndChargedOnce(key);
  });

  it('that sends no key is refused with 400, and nothing is placed', async () => {
    const before = await ledgerSize();
    const refused = await post(url, BOOK, {});
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'KEY_MISSING' });
    // Orders are charged in their order: with this one, whatever was before it.
    const next = randomUUID();
    await place(next);
    await expectPlacedAndChargedOnce(next);
    expect(await ledgerSize()).toBe(before + 1);
  });
});

describe('an order that is in the queue ten times', () => {
  it('is charged once', async () => {
    const orderId = randomUUID();
    await send(queue, Array(10).fill({ orderId, ...BOOK }));
    await drained(queue);
    await expectOneEffect('Orders', orderId);
  });
});
