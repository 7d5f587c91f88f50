import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { place, until } from '../../demo/scenarios.ts';
import { openShop, type Shop } from '../../demo/shop.ts';
import { type Plan, startFlaky } from '../../local/flaky.ts';
import { openBrowser, type Profile, type TestBrowser } from './browser.ts';

/** The example shop, a way to it that fails on command, and a browser. */
export interface ShopInBrowser {
  readonly url: string;
  readonly shop: Shop;
  readonly browser: TestBrowser;
  /** What happens to requests from now on. */
  readonly plan: (plan: Plan) => void;
  /** Forgets what was ordered so far, and all mishaps. */
  readonly fresh: () => Promise<void>;
  /** Ids of the orders since then, once nothing is under way, each with one charge. */
  readonly newOrders: () => Promise<string[]>;
  readonly stop: () => Promise<void>;
}

const PATIENCE = { timeout: 10_000 };
const ALL_IS_WELL: Plan = () => undefined;

export async function openShopInBrowser(): Promise<ShopInBrowser> {
  let plan = ALL_IS_WELL;
  let known = new Set<string>();
  const shop = await openShop(0);
  const way = await startFlaky(shop.api.url, (request) => plan(request));
  const browser = await openBrowser();
  // Functions that have been loaded: the first call is as fast as the others.
  await until('an order', async () => (await place(shop, 'warm-up')).startsWith('201'));
  await fetch(way.url);
  await until('a charge', async () => (await shop.charges('warm-up')) === 1);
  return {
    url: way.url,
    shop,
    browser,
    plan: (next) => {
      plan = next;
    },
    async fresh() {
      plan = ALL_IS_WELL;
      known = new Set(await shop.orderIds());
    },
    async newOrders() {
      await expect.poll(way.underWay, PATIENCE).toBe(0);
      const orders = (await shop.orderIds()).filter((id) => !known.has(id));
      const once = orders.map(() => 1);
      await expect.poll(() => Promise.all(orders.map(shop.charges)), PATIENCE).toEqual(once);
      expect(await Promise.all(orders.map(shop.chargeRequests))).toEqual(once);
      return orders;
    },
    async stop() {
      await browser.stop();
      await way.stop();
      await shop.stop();
    },
  };
}

type Customer = ReturnType<typeof customer>;

/** What a customer does on the page, and sees. */
export function customer(page: Page) {
  const press = (name: string): Promise<void> => page.getByRole('button', { name }).click();
  /** The number of the order, once the page says that it is placed and has nothing under way. */
  const confirmation = async (): Promise<string> => {
    await page.getByRole('heading', { name: 'Order placed' }).waitFor();
    await page.locator('#place[aria-busy="false"]').waitFor();
    return (await page.locator('#order-id').textContent()) ?? '';
  };
  const placeOrder = page.getByRole('button', { name: 'Place order' });
  return {
    page,
    placeOrder,
    confirmation,
    order: async (): Promise<string> => {
      await placeOrder.click();
      return confirmation();
    },
    /** What it says that went wrong. */
    problem: async (): Promise<string> => {
      const said = page.getByRole('alert').filter({ hasText: /./ });
      await said.waitFor();
      return (await said.textContent()) ?? '';
    },
    /** `2 clicks · 1 request · 1 order`. */
    tally: () => page.locator('#tally').textContent(),
    /** What came back, the oldest first. */
    answers: async () => (await page.locator('.answer').allTextContents()).reverse(),
    replay: page.getByText('This answer came from the record'),
    addBeans: () => press('One more: Yirgacheffe'),
    removeBeans: () => press('One less: Yirgacheffe'),
    startAnew: async () => {
      await press('Start a new order');
      await page.getByRole('heading', { name: 'No order yet' }).waitFor();
    },
  };
}

/** A new customer before the open shop, whose page is closed, and must be without faults, when it is over. */
export async function withCustomer(
  { browser, url }: ShopInBrowser,
  run: (customer: Customer, profile: Profile) => Promise<void>,
): Promise<void> {
  const profile = await browser.profile();
  await run(customer(await profile.open(url)), profile);
  await profile.close();
}
