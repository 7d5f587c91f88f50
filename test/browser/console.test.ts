import { BatchWriteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Store } from 'effectively-once';
import { inspect, recordId, resolve } from 'effectively-once/operator';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { completed } from '../operator/world.ts';
import { INSECURE_HOST } from './browser.ts';
import { type ConsoleInBrowser, openConsoleInBrowser, operator, type Place, withOperator } from './console.ts';

let all: ConsoleInBrowser;
let place: Place;
beforeAll(async () => {
  all = await openConsoleInBrowser();
});
beforeEach(async () => {
  place = await all.place();
});
afterAll(() => all?.stop());

const PAYMENT = { key: 'order-1', caller: 'alice', onUnknown: 'refuse' } as const;
const lost = () => place.run({ ...PAYMENT, end: 'hang' });
const retry = async () => JSON.parse(await place.run({ ...PAYMENT, end: 'return' }));
const state = async (key: string, scope = 'charge') => (await inspect(place.store, recordId({ scope, key }))).state;

describe('a payment whose run was killed', () => {
  it('is found, gets the outcome that an operator enters, and the retry of the customer gets that', async () => {
    await lost();
    expect(await retry()).toMatchObject({ statusCode: 409 });
    await withOperator(all, await place.console(), async ({ page, keys, open, button, dialog, record, said }) => {
      expect(await keys()).toEqual(['order-1']);
      await open('order-1');
      await record.getByText('nobody knows what it did').waitFor();
      await record.getByText('"ch_order-1"').waitFor(); // the step that is on record
      await button('Record an outcome…').click();
      await dialog.getByText('Every retry and every duplicate gets what you enter here.').waitFor();
      await page.getByLabel('Status').fill('201');
      await page.getByLabel('Body').fill('{"chargeId":"ch_order-1"}');
      await button('Record this outcome').click();
      expect(await said()).toBe('Resolved: every retry and every duplicate gets this outcome.');
      await record.getByText('JSON as text, 1 member').waitFor();
      expect(await page.locator('tbody .badge').textContent()).toBe('Completed');
    });
    expect(await retry()).toMatchObject({
      statusCode: 201,
      headers: { 'Idempotent-Replayed': 'true' },
      body: '{"chargeId":"ch_order-1"}',
    });
  });

  it('runs again when an operator lets it, without the step that is on record', async () => {
    await lost();
    await withOperator(all, await place.console(), async ({ open, button, dialog, record, said }) => {
      await open('order-1');
      await button('Let it run again…').click();
      await dialog.getByText('as attempt 2').waitFor();
      await dialog.getByText('1 step on record (charge) is not repeated').waitFor();
      await button('Let it run again').click();
      expect(await said()).toBe('Resolved: the next request with this key runs again.');
      await record.getByText('Released').waitFor();
    });
    expect(await retry()).toMatchObject({ statusCode: 201, body: '{"chargeId":"ch_order-1"}' });
  });

  it('is not decided by a value that is no JSON', async () => {
    await place.run({ key: 'order-2', end: 'hang' });
    await withOperator(all, await place.console(), async ({ page, open, button, problem }) => {
      await open('order-2');
      await button('Record an outcome…').click();
      await page.getByLabel('Value, as JSON').fill('charged');
      await button('Record this outcome').click();
      expect(await problem()).toMatch(/^The value is no JSON \(.*\); a text has quotes\.$/);
      await button('Cancel').click();
      expect(await button('Record an outcome…').isVisible()).toBe(true);
    });
    expect(await state('order-2')).toBe('stuck');
  });

  it('is decided as it was seen: if it has changed meanwhile, nothing is written, and it is shown as it is', async () => {
    await place.run({ key: 'order-3', end: 'hang' });
    const id = recordId({ scope: 'charge', key: 'order-3' });
    await withOperator(all, await place.console(), async ({ open, button, problem, record, dialog }) => {
      await open('order-3');
      await button('Let it run again…').click();
      await resolve(place.store, id, { value: 'by a colleague' });
      await button('Let it run again').click();
      expect(await problem()).toBe('The record was changed meanwhile.');
      await button('Show it as it is now').click();
      await record.getByText('"by a colleague"').waitFor();
      expect(await dialog.isVisible()).toBe(false);
    });
    expect(await inspect(place.store, id)).toMatchObject({ state: 'completed', version: 3 });
  });
});

describe('forget', () => {
  it('says what will happen, and lets the key run again', async () => {
    await place.run({ key: 'order-1', end: 'decline' });
    await withOperator(all, await place.console(), async ({ choose, search, open, button, dialog, said, record }) => {
      await choose('Failed');
      await search();
      await open('order-1');
      await record.getByText('"the card was declined"').waitFor();
      await button('Forget the record…').click();
      await dialog.getByText('it is done a second time').waitFor();
      await button('Forget it').click();
      expect(await said()).toMatch(/^Forgotten: the next request .* Functions may answer from memory for 60 s more\.$/);
      await record.getByText('Released').waitFor();
    });
    expect(JSON.parse(await place.run({ key: 'order-1', end: 'return' }))).toMatchObject({ statusCode: 201 });
  });

  it('is refused in words while a run holds the key', async () => {
    await place.run({ key: 'order-1', end: 'hang', lease: '900s' });
    await withOperator(all, await place.console(), async ({ open, record, button }) => {
      await open('order-1');
      await record.getByText('Nothing can be decided while a run holds the key').waitFor();
      await record.getByText('Forgetting it now is refused').waitFor();
      expect(await button('Forget the record…').count()).toBe(0);
    });
  });

  it('is refused in words when a run has taken the key meanwhile', async () => {
    await place.run({ key: 'order-1', end: 'fail' });
    await withOperator(all, await place.console(), async ({ choose, search, open, button, problem }) => {
      await choose('Released');
      await search();
      await open('order-1');
      await button('Forget the record…').click();
      await place.run({ key: 'order-1', end: 'hang', lease: '900s' });
      await button('Forget it').click();
      expect(await problem()).toBe('The record was changed meanwhile.');
    });
    expect(await state('order-1')).toBe('in-progress');
  });
});

describe('a search', () => {
  const CHARGED = { onUnknown: 'rerun', end: 'return' } as const;

  it('is by state, scope, operation, caller and key, and stands in the address', async () => {
    await completed(place.store, 'order-1', 'charged');
    await completed(place.store, 'order-2', 'charged', { principal: 'bob' });
    await place.run({ ...CHARGED, key: 'order-3', caller: 'alice' });
    await withOperator(all, await place.console(), async ({ page, choose, field, search, keys }) => {
      expect(await keys()).toEqual([]);
      for (const name of ['In doubt', 'Stuck', 'In progress', 'Completed']) await choose(name);
      const expectFound = async (fields: Record<string, string>, expected: readonly string[]): Promise<void> => {
        for (const [name, value] of Object.entries(fields)) await field(name).fill(value);
        await search();
        await expect.poll(async () => (await keys()).sort(), { timeout: 10_000 }).toEqual(expected);
        for (const name of Object.keys(fields)) await field(name).fill('');
      };
      await expectFound({}, ['order-1', 'order-2', 'order-3']);
      await expectFound({ Key: 'order-3' }, ['order-3']);
      await expectFound({ Caller: 'bob' }, ['order-2']);
      await expectFound({ Operation: 'POST /orders' }, ['order-3']);
      await expectFound({ Scope: 'charge' }, ['order-1', 'order-2']);
      await page.getByLabel('none for caller').check();
      await expectFound({}, ['order-1']);
      await page.reload();
      expect(await keys()).toEqual(['order-1']);
      await page.goBack();
      await page.goBack();
      await expect.poll(async () => (await keys()).sort(), { timeout: 10_000 }).toEqual(['order-3']);
    });
  });

  it('by scope, key, operation and caller reads one record', async () => {
    await completed(place.store, 'order-1', 'charged');
    await completed(place.store, 'order-2', 'charged');
    await withOperator(all, await place.console(), async ({ page, choose, field, search, keys }) => {
      for (const name of ['In doubt', 'Stuck', 'In progress']) await choose(name);
      await field('Scope').fill('charge');
      await field('Key').fill('order-2');
      for (const name of ['none for operation', 'none for caller']) await page.getByLabel(name).check();
      await search();
      await page.getByText('1 item read, 1 read unit.').waitFor();
      expect(await keys()).toEqual(['order-2']);
    });
  });

  it.each([
    ['its id', (id: string) => id],
    ['the instance of a problem', (id: string) => `urn:effectively-once:record:${encodeURIComponent(id)}`],
  ])('by %s opens the record', async (_, written) => {
    await completed(place.store, 'order-1', 'charged');
    await withOperator(all, await place.console(), async ({ page, button, record }) => {
      await page
        .getByLabel('Record id, or the instance of a problem')
        .fill(written(recordId({ scope: 'charge', key: 'order-1' })));
      await button('Open').click();
      await record.getByRole('heading', { name: 'order-1' }).waitFor();
      await page.goBack();
      await record.waitFor({ state: 'detached' });
    });
  });
});

describe('a table of many records', () => {
  /** As one that completed, with another id, key and state. */
  async function fill(count: number, stuck: number): Promise<void> {
    const item = (n: number, isStuck: boolean) => ({
      id: { S: `charge#${isStuck ? 'stuck' : 'done'}-${n}` },
      identity: { M: { key: { S: `${isStuck ? 'stuck' : 'done'}-${n}` } } },
      ...common,
      ...(isStuck
        ? { status: { S: 'IN_PROGRESS' }, leaseUntil: { N: `${Date.now() - 60_000}` }, steps: { M: {} } }
        : { status: { S: 'COMPLETED' }, completedAt: { N: `${Date.now()}` }, outcome: VALUE }),
    });
    const common = {
      format: { N: '1' },
      version: { N: '1' },
      attempt: { N: '1' },
      owner: { S: 'o' },
      claimedAt: { N: `${Date.now() - 90_000}` },
      expiresAt: { N: `${Math.ceil(Date.now() / 1_000) + 3_600}` },
    };
    const VALUE = { M: { kind: { S: 'value' }, body: { S: '"x"' } } };
    const items = [
      ...Array.from({ length: count }, (_, n) => item(n, false)),
      ...Array.from({ length: stuck }, (_, n) => item(n, true)),
    ];
    for (let from = 0; from < items.length; from += 25) {
      const puts = items.slice(from, from + 25).map((Item) => ({ PutRequest: { Item } }));
      await all.client.send(new BatchWriteItemCommand({ RequestItems: { [place.table]: puts } }));
    }
  }

  it('is told what a search takes before it begins; it can be cancelled, and goes on where it was', async () => {
    await fill(2_000, 3);
    // The embedded engine does not count bytes.
    const store: Store = { ...place.store, total: async () => ({ items: 2_003, bytes: 480_000 }) };
    const url = await place.console({ store, unitsPerSecond: 8 });
    await withOperator(all, url, async ({ page, button, keys }) => {
      const asking = page.getByText(/This reads the whole table: about 2,003 items, [\d.]+ KB\./);
      await asking.waitFor();
      expect(await asking.textContent()).toMatch(/about \d+ read units, 8 a second, and takes \d+ s\.$/);
      await button('Search the table').click();
      await page.getByText(/^[\d,]+ of about 2,003 items, \d+ read units?$/).waitFor();
      await button('Cancel').click();
      await page.getByText('Cancelled.').waitFor();
      await button('Go on').click();
      await page.getByText(/^2,\d\d\d items read, \d+ read units\.$/).waitFor({ timeout: 30_000 });
      expect((await keys()).sort()).toEqual(['stuck-0', 'stuck-1', 'stuck-2']);
    });
  });

  it('is shown 500 at a time', async () => {
    await fill(1_100, 0);
    await withOperator(all, await place.console(), async ({ page, button, choose, search, keys }) => {
      await choose('Completed');
      await search();
      await page.getByText('500 records: 500 completed').waitFor();
      await button('Show more').click();
      await page.getByText('1,000 records: 1000 completed').waitFor();
      await button('Show more').click();
      await page.getByText('1,100 records: 1100 completed').waitFor();
      expect(new Set(await keys()).size).toBe(1_100);
    });
  });
});

describe('without a mouse', () => {
  it('a record is found and resolved, and the focus is where the work goes on', async () => {
    await place.run({ key: 'order-1', end: 'hang' });
    await withOperator(all, await place.console(), async ({ page, focused, keys, said, dialog, record }) => {
      expect(await keys()).toEqual(['order-1']);
      const tabTo = async (name: string): Promise<void> => {
        const passed: string[] = [];
        while (passed.at(-1) !== name) {
          if (passed.length > 30) throw new Error(`never came to ${name}: ${passed.join(', ')}`);
          await page.keyboard.press('Tab');
          passed.push(await focused());
        }
      };
      await tabTo('Skip to the records');
      await page.keyboard.press('Enter');
      expect(await focused()).toBe('What was found');
      await tabTo('order-1');
      await page.keyboard.press('Enter');
      await record.getByText('The record itself').waitFor();
      await expect.poll(focused).toBe('order-1');
      await tabTo('Record an outcome…');
      await page.keyboard.press('Enter');
      await dialog.waitFor();
      expect(await focused()).toBe('Value, as JSON');
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      expect(await focused()).toBe('Record an outcome…');
      await page.keyboard.press('Enter');
      await page.keyboard.type('{"chargeId":"ch_1"}');
      await tabTo('Record this outcome');
      await page.keyboard.press('Enter');
      expect(await said()).toMatch('Resolved');
      await expect.poll(focused).toBe('order-1');
      await tabTo('Close');
      await page.keyboard.press('Enter');
      await record.waitFor({ state: 'detached' });
      await expect.poll(focused).toBe('order-1');
    });
    expect(await state('order-1')).toBe('completed');
  });
});

describe('the console says in a sentence', () => {
  it('that nothing is there', async () => {
    await withOperator(all, await place.console(), async ({ page, keys }) => {
      await page.getByText('No such record.').waitFor();
      expect(await keys()).toEqual([]);
    });
  });

  it("that a table is another tool's", async () => {
    for (let n = 0; n < 3; n++)
      await all.client.send(
        new PutItemCommand({ TableName: place.table, Item: { id: { S: `lock-${n}` }, data: { S: '{}' } } }),
      );
    await withOperator(all, await place.console(), async ({ problem }) => {
      expect(await problem()).toMatch(
        /^The table holds no records of effectively-once: its items were written by another/,
      );
    });
  });

  it("which items are another tool's, a later version's or damaged, beside the records", async () => {
    await place.run({ key: 'order-1', end: 'hang' });
    await all.client.send(new PutItemCommand({ TableName: place.table, Item: { id: { S: 'lock' } } }));
    await withOperator(all, await place.console(), async ({ page, keys }) => {
      await page.getByText(/Not listed, as they are no records: 1 another tool's \(.+\)\.$/).waitFor();
      expect(await keys()).toEqual(['order-1']);
    });
  });

  it('that there is no table', async () => {
    const nowhere = await all.place('no-such-table');
    await withOperator(all, await nowhere.console(), async ({ problem, button }) => {
      expect(await problem()).toMatch(/no-such-table/);
      expect(await button('Try again').isVisible()).toBe(true);
    });
  });

  it('that there is no such record', async () => {
    await withOperator(all, await place.console(), async ({ page, button, problem }) => {
      await page.getByLabel('Record id, or the instance of a problem').fill('charge#gone');
      await button('Open').click();
      expect(await problem()).toBe('There is no record "charge#gone".');
    });
  });

  it('that it is read-only, and offers nothing to do', async () => {
    await place.run({ key: 'order-1', end: 'hang' });
    await withOperator(all, await place.console({ readOnly: true }), async ({ page, open, record }) => {
      await page.getByText('read-only', { exact: true }).waitFor();
      await open('order-1');
      expect(await record.getByRole('button').allTextContents()).toEqual(['Close', 'Read it again']);
    });
  });

  it('that the address lacks the token; with it the same tab goes on', async () => {
    const url = await place.console();
    await withOperator(all, `${new URL(url).origin}/#token=of-another-run`, async ({ page, problem }) => {
      expect(await problem()).toMatch(/^Open the console by the address that its command has printed/);
      await page.evaluate(`location.href = ${JSON.stringify(url)}`);
      await page.getByText('No such record.').waitFor();
      expect(page.url()).not.toContain('token');
      await page.reload();
      await page.getByText('No such record.').waitFor();
    });
  });
});

it('another name that leads to this machine is given nothing, not even the page', async () => {
  const url = new URL(await place.console());
  url.hostname = INSECURE_HOST;
  const profile = await all.browser.profile();
  const page = await profile.open(url.href);
  expect(JSON.parse((await page.locator('body').textContent()) ?? '')).toMatchObject({ code: 'FORBIDDEN' });
  await profile.context.close(); // it has faults: the browser does not trust that name either
});

describe('values', () => {
  it('are pretty-printed, and what has members can be folded', async () => {
    await place.run({ key: 'order-1', caller: 'alice', end: 'return' });
    await withOperator(all, await place.console(), async ({ choose, search, open, record }) => {
      await choose('Completed');
      await search();
      await open('order-1');
      const inner = record.getByText('"ch_order-1"');
      await record.getByText('statusCode: ').waitFor();
      expect(await inner.isVisible()).toBe(true);
      await record.getByText('JSON as text, 1 member').click();
      expect(await inner.isVisible()).toBe(false);
      await record.getByText('Outcome', { exact: true }).click();
      expect(await record.getByText('statusCode: ').isVisible()).toBe(false);
    });
  });

  it('show nothing of a sender as markup', async () => {
    const key = '<img src=x onerror=alert(1)>';
    await place.run({ key, end: 'hang' });
    await withOperator(all, await place.console(), async ({ page, open, keys }) => {
      expect(await keys()).toEqual([key]);
      await open(key);
      expect(await page.locator('img').count()).toBe(1); // the mark of the console
    });
  });
});

it('a tab that a second console is opened in forgets nothing of the first', async () => {
  await place.run({ key: 'order-1', end: 'hang' });
  const [one, other] = [await place.console(), await place.console({ readOnly: true })];
  await withOperator(all, one, async ({ page, keys }, { context }) => {
    const second = operator(await context.newPage());
    await second.page.goto(other);
    await second.page.getByText('read-only', { exact: true }).waitFor();
    await page.reload();
    expect(await keys()).toEqual(['order-1']);
  });
});
