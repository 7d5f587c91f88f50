import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { customer, openShopInBrowser, type ShopInBrowser } from './shop.ts';

let shop: ShopInBrowser;
beforeAll(async () => {
  shop = await openShopInBrowser();
});
beforeEach(() => shop.fresh());
afterAll(() => shop?.stop());

/** What is wrong with a page for people who cannot see it, or not well: rules of WCAG 2.2 AA, contrast among them. */
async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<any>(`axe.run()`);
  return violations.map(({ id, nodes }: any) => `${id}: ${nodes.map(({ html }: any) => html).join(' ')}`);
}

const PICTURES = fileURLToPath(new URL('pictures/', import.meta.url));
mkdirSync(PICTURES, { recursive: true });

describe.each([
  { colorScheme: 'light', width: 1_120 },
  { colorScheme: 'dark', width: 1_120 },
  { colorScheme: 'light', width: 360 },
  { colorScheme: 'dark', width: 360 },
] as const)('in $colorScheme, $width pixels wide', ({ colorScheme, width }) => {
  it('fits, can be read, and is told to a screen reader', async () => {
    // Nothing moves, so that the pictures are of what stays.
    const profile = await shop.browser.profile({
      colorScheme,
      viewport: { width, height: 720 },
      reducedMotion: 'reduce',
    });
    const page = await profile.open(shop.url);
    const { order, placeOrder, replay } = customer(page);
    const picture = (name: string) =>
      page.screenshot({ path: `${PICTURES}${name}-${colorScheme}-${width}.png`, fullPage: true });
    const expectFine = async (name: string) => {
      await picture(name);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(await barriers(page)).toEqual([]);
    };
    await expectFine('empty');
    const mishaps = (['refuse', 'lose'] as const).values();
    shop.plan(() => mishaps.next().value);
    await order();
    await placeOrder.click();
    await replay.waitFor();
    await expectFine('ordered');
    shop.plan(() => 'drop');
    await page.getByRole('button', { name: 'One more: Hand grinder' }).click();
    await placeOrder.click();
    await page.getByRole('alert').getByText('There was no answer').waitFor();
    await expectFine('failed');
    await profile.close();
  });
});

describe('without a mouse', () => {
  it('an order is placed with the keyboard, and what became of it is where the focus goes', async () => {
    const profile = await shop.browser.profile();
    const page = await profile.open(shop.url);
    const { confirmation } = customer(page);
    const focused = () =>
      page.evaluate<string>('document.activeElement.ariaLabel || document.activeElement.textContent');
    const names: string[] = [];
    while (names.at(-1) !== 'Place order' && names.length < 20) {
      await page.keyboard.press('Tab');
      names.push(await focused());
    }
    expect(names.slice(0, 2)).toEqual(['One less: Yirgacheffe', 'One more: Yirgacheffe']);
    expect(names.at(-1)).toBe('Place order');
    await page.keyboard.press('Enter');
    const shown = await confirmation();
    expect(await focused()).toBe('Order placed');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('See it on the server');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Start a new order');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'No order yet' }).waitFor();
    expect(await focused()).toBe('Place order');
    expect(await shop.newOrders()).toEqual([shown]);
    await profile.close();
  });
});
