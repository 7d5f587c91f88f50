import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { randomOf } from '../../bench/random.ts';
import { oneIn, type Plan } from '../../local/flaky.ts';
import { INSECURE_HOST } from './browser.ts';
import { customer, openShopInBrowser, type ShopInBrowser, withCustomer } from './shop.ts';

type Mishap = Awaited<ReturnType<Plan>>;

let shop: ShopInBrowser;
beforeAll(async () => {
  shop = await openShopInBrowser();
});
beforeEach(() => shop.fresh());
afterAll(() => shop?.stop());

/** The first requests meet these, the others nothing. */
function first(...mishaps: Mishap[]): void {
  shop.plan(() => mishaps.shift());
}

/** Holds the first request back: `arrived` resolves when it is there, `release` lets it go on to what it meets. */
function holdFirst() {
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
  const { promise: held, resolve: release } = Promise.withResolvers<Mishap>();
  const holds = [held];
  shop.plan(() => {
    arrive();
    return holds.shift();
  });
  return { arrived, release };
}

describe('one order, charged once, and its confirmation', () => {
  it('for a double click', () =>
    withCustomer(shop, async ({ placeOrder, confirmation, tally }) => {
      await placeOrder.dblclick();
      const shown = await confirmation();
      expect(await shop.newOrders()).toEqual([shown]);
      expect(await tally()).toBe('2 clicks · 1 request · 1 order');
    }));

  it('for clicks while the first is under way', () =>
    withCustomer(shop, async ({ page, placeOrder, confirmation, tally }) => {
      const { arrived, release } = holdFirst();
      await placeOrder.click();
      await arrived;
      await page.getByRole('status').getByText('Placing your order').waitFor();
      await placeOrder.click();
      await placeOrder.click();
      release(undefined);
      const shown = await confirmation();
      expect(await shop.newOrders()).toEqual([shown]);
      expect(await tally()).toBe('3 clicks · 1 request · 1 order');
    }));

  it('for a second click after the answer, which is the same', () =>
    withCustomer(shop, async ({ order, placeOrder, confirmation, tally, replay }) => {
      const shown = await order();
      expect(await replay.isVisible()).toBe(false);
      await placeOrder.click();
      await replay.waitFor();
      expect(await confirmation()).toBe(shown);
      expect(await shop.newOrders()).toEqual([shown]);
      expect(await tally()).toBe('2 clicks · 2 requests · 1 order');
    }));

  it.each<[string, Mishap]>([
    ['that has its effect all the same', undefined],
    ['that never arrives', 'drop'],
  ])('for a reload in the middle of a request %s', (_, mishap) =>
    withCustomer(shop, async ({ page, placeOrder, confirmation, tally }) => {
      const { arrived, release } = holdFirst();
      await placeOrder.click();
      await arrived;
      await page.reload(); // and nobody clicks again
      release(mishap);
      const shown = await confirmation();
      expect(await shop.newOrders()).toEqual([shown]);
      expect(await tally()).toMatch(/^0 clicks · .* · 1 order$/);
    }),
  );

  it('for a reload after all attempts have failed, when the server is back', () =>
    withCustomer(shop, async ({ page, placeOrder, problem, confirmation }) => {
      shop.plan(() => 'refuse');
      await placeOrder.click();
      expect(await problem()).toBe('Service Unavailable');
      shop.plan(() => undefined);
      await page.reload(); // and nobody clicks again
      const shown = await confirmation();
      expect(await shop.newOrders()).toEqual([shown]);
    }));

  it('for a reload after the answer, and another click', () =>
    withCustomer(shop, async ({ page, order }) => {
      const shown = await order();
      await page.reload();
      expect(await order()).toBe(shown);
      expect(await shop.newOrders()).toEqual([shown]);
    }));

  it('for a network that goes off and on', () =>
    withCustomer(shop, async ({ placeOrder, confirmation, answers, problem }, { context }) => {
      await context.setOffline(true);
      await placeOrder.click();
      expect(await problem()).toMatch('There was no answer');
      expect(await answers()).toEqual(Array(5).fill('no answer'));
      await context.setOffline(false); // and nobody clicks again
      const shown = await confirmation();
      expect(await shop.newOrders()).toEqual([shown]);
    }));

  it('for a double click on an insecure page, which has neither Web Locks nor crypto.randomUUID', async () => {
    const profile = await shop.browser.profile();
    const page = await profile.open(shop.url.replace('127.0.0.1', INSECURE_HOST));
    const { placeOrder, confirmation } = customer(page);
    expect(await page.evaluate('[isSecureContext, !!navigator.locks, !!crypto.randomUUID]')).toEqual(
      Array(3).fill(false),
    );
    first('lose');
    await placeOrder.dblclick();
    const shown = await confirmation();
    expect(await shop.newOrders()).toEqual([shown]);
    await profile.close();
  });

  it('for an answer that is lost after the effect', () =>
    withCustomer(shop, async ({ order, answers, replay }) => {
      first('lose');
      const shown = await order();
      expect(await answers()).toEqual(['no answer', '201 Created']);
      expect(await replay.isVisible()).toBe(true);
      expect(await shop.newOrders()).toEqual([shown]);
    }));

  it('for an answer that is lost on a connection that was used before: the browser sends it again, unseen by the page', async () => {
    const { api, counts } = shop.shop;
    const profile = await shop.browser.profile();
    const { order, answers, replay } = customer(await profile.open(api.url));
    const { deliveries } = counts;
    api.loseNextResponse();
    const shown = await order();
    await replay.waitFor();
    expect(await answers()).toEqual(['201 Created']);
    expect(await shop.newOrders()).toEqual([shown]);
    expect(counts.deliveries - deliveries).toBe(3); // two of the request, one of the message
    await profile.close();
  });

  it('for two tabs at once', () =>
    withCustomer(shop, async ({ placeOrder, confirmation, replay }, { open }) => {
      const other = customer(await open(shop.url));
      const { arrived, release } = holdFirst();
      await placeOrder.click();
      await arrived;
      await other.placeOrder.click();
      await other.page.getByRole('status').getByText('Placing your order').waitFor();
      release(undefined);
      const shown = await confirmation();
      expect(await other.confirmation()).toBe(shown);
      expect([await replay.isVisible(), await other.replay.isVisible()]).toEqual([false, true]);
      expect(await shop.newOrders()).toEqual([shown]);
    }));

  it('for a tab that knows no outcome, when another has it and starts anew: nothing is ordered without a click', () =>
    withCustomer(shop, async ({ page, placeOrder, problem }, { open }) => {
      shop.plan(() => 'lose');
      await placeOrder.click();
      await problem();
      shop.plan(() => undefined);
      const other = customer(await open(shop.url));
      const shown = await other.order();
      await other.startAnew();
      await page.reload();
      await page.context().setOffline(true);
      await page.context().setOffline(false);
      await page.waitForFunction('navigator.onLine');
      // What it sends, it begins at once, and says so.
      expect(await placeOrder.getAttribute('aria-busy')).toBeNull();
      expect(await shop.newOrders()).toEqual([shown]);
    }));

  it('for half an answer, and a reload', () =>
    withCustomer(shop, async ({ page, placeOrder, problem, confirmation }) => {
      shop.plan(() => 'cut');
      await placeOrder.click();
      await problem();
      shop.plan(() => undefined);
      await page.reload();
      const shown = await confirmation();
      expect(await shop.newOrders()).toEqual([shown]);
    }));

  it('for a tab that was closed when nobody knew: another cart is refused until the first is placed again', () =>
    withCustomer(shop, async ({ page, placeOrder, problem }, { open }) => {
      shop.plan(() => 'refuse');
      await placeOrder.click();
      expect(await problem()).toBe('Service Unavailable');
      await page.close();
      const later = customer(await open(shop.url));
      await later.addBeans();
      await later.placeOrder.click();
      expect(await later.problem()).toMatch('An earlier order of this browser has no answer yet');
      expect(await later.answers()).toEqual([]);
      shop.plan(() => undefined);
      await later.removeBeans();
      const shown = await later.order();
      expect(await shop.newOrders()).toEqual([shown]);
    }));

  it('for the back button, and another click', () =>
    withCustomer(shop, async ({ page, order, replay }) => {
      const shown = await order();
      await page.getByRole('link', { name: 'See it on the server' }).click();
      await page.getByText(shown).waitFor();
      await page.goBack();
      expect(await order()).toBe(shown);
      await replay.waitFor();
      expect(await shop.newOrders()).toEqual([shown]);
    }));
});

const SEEN: Record<string, string> = { undefined: '201 Created', refuse: '503 Service Unavailable', lose: 'no answer' };

describe('an order each, charged once', () => {
  it('for a server that fails one time in five', () =>
    withCustomer(shop, async (customer) => {
      const flaky = oneIn(0.2, randomOf(17));
      const met: Mishap[] = [];
      shop.plan((request) => {
        met.push(flaky(request) as Mishap);
        return met.at(-1);
      });
      const shown: string[] = [];
      for (let order = 0; order < 12; order++) {
        shown.push(await customer.order());
        await customer.startAnew();
      }
      expect(new Set(met)).toEqual(new Set([undefined, 'refuse', 'lose']));
      expect(await customer.answers()).toEqual(met.map((mishap) => SEEN[`${mishap}`]));
      expect((await shop.newOrders()).sort()).toEqual(shown.sort());
    }));

  it('for a cart that is changed after its confirmation; as it was, it is the order that it was', () =>
    withCustomer(shop, async ({ page, order, addBeans }) => {
      const before = await order();
      await addBeans();
      await page.getByText('3 × Yirgacheffe').waitFor({ state: 'detached' });
      const after = await order();
      expect((await shop.newOrders()).sort()).toEqual([before, after].sort());
    }));

  it('for a cart that is changed while the first is under way: one after the other', () =>
    withCustomer(shop, async ({ page, placeOrder, addBeans, confirmation }) => {
      const { arrived, release } = holdFirst();
      await placeOrder.click();
      await arrived;
      await addBeans();
      await placeOrder.click();
      release(undefined);
      await page.getByText('3 × Yirgacheffe').waitFor();
      const shown = await confirmation();
      const orders = await shop.newOrders();
      expect(orders).toHaveLength(2);
      expect(orders).toContain(shown);
    }));

  it('for a cart that is changed when nobody knows what became of the first: that is decided first', () =>
    withCustomer(shop, async ({ page, placeOrder, addBeans, problem, confirmation }) => {
      first('lose', 'refuse', 'refuse', 'refuse', 'refuse');
      await placeOrder.click();
      expect(await problem()).toBe('Service Unavailable'); // after five attempts
      await addBeans();
      await placeOrder.click();
      await page.getByText('3 × Yirgacheffe').waitFor();
      const shown = await confirmation();
      const orders = await shop.newOrders();
      expect(orders).toHaveLength(2);
      expect(orders).toContain(shown);
    }));
});

describe('no order', () => {
  it('where storage is full: the page says so, and sends nothing', () =>
    withCustomer(shop, async ({ page, placeOrder, problem, answers, tally }) => {
      await page.evaluate(`{
        let text = 'x'.repeat(2 ** 20);
        for (let i = 0; text.length > 0; i++) {
          try { localStorage.setItem('filler' + i, text); } catch { text = text.slice(0, text.length / 2); }
        }
      }`);
      await placeOrder.click();
      expect(await problem()).toMatch('no room to remember the order');
      await page.evaluate('localStorage.clear()');
      await page.reload(); // which sends nothing that was not sent
      expect(await tally()).toBe('Nothing yet.');
      expect(await answers()).toEqual([]);
      expect(await shop.newOrders()).toEqual([]);
    }));

  it('where storage is denied: the page says so, and sends nothing', () =>
    withCustomer(shop, async (_, { context, open }) => {
      await context.addInitScript(`{
        const get = () => { throw new DOMException('denied', 'SecurityError'); };
        for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, { get });
      }`);
      const { placeOrder, problem, answers } = customer(await open(shop.url));
      await placeOrder.click();
      expect(await problem()).toMatch('does not let the shop remember');
      expect(await answers()).toEqual([]);
      expect(await shop.newOrders()).toEqual([]);
    }));
});
