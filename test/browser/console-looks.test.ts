import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { completed, failed, released } from '../operator/world.ts';
import { type ConsoleInBrowser, openConsoleInBrowser, operator, type Place } from './console.ts';

let all: ConsoleInBrowser;
let place: Place;
beforeAll(async () => {
  all = await openConsoleInBrowser();
  place = await all.place();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 1_500_000 }); // so that they are some minutes old
  const { store } = place;
  const confirmed = { chargeId: 'ch_7003', lines: [{ item: 'Yirgacheffe', count: 2 }], total: 2_900 };
  await completed(store, 'order-7003', confirmed, { principal: '["jwt","https://issuer.example/","carol"]' });
  await failed(store, 'order-7004');
  await released(store, 'order-7005');
  vi.useRealTimers();
  await place.run({ key: '3f0c9f0e-6d5f-4c1c-9a4b-53d1d9a2f8b1', end: 'hang', caller: 'alice', onUnknown: 'refuse' });
  await place.run({ key: 'order-7002', end: 'hang' });
  await place.run({ key: 'order-7006', end: 'hang', lease: '900s' });
});
afterAll(() => all?.stop());

/** What is wrong with a page for people who cannot see it, or not well: rules of WCAG 2.2 AA, contrast among them. */
async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<any>('axe.run()');
  return violations.map(({ id, nodes }: any) => `${id}: ${nodes.map(({ html }: any) => html).join(' ')}`);
}

const PICTURES = fileURLToPath(new URL('pictures/', import.meta.url));
mkdirSync(PICTURES, { recursive: true });

describe.each([
  { colorScheme: 'light', width: 360, height: 740 },
  { colorScheme: 'dark', width: 360, height: 740 },
  { colorScheme: 'light', width: 1_280, height: 800 },
  { colorScheme: 'dark', width: 1_280, height: 800 },
  { colorScheme: 'light', width: 3_840, height: 2_160 },
] as const)('in $colorScheme, $width pixels wide', ({ colorScheme, width, height }) => {
  it('fits, can be read, and is told to a screen reader', async () => {
    // Nothing moves, so that the pictures are of what stays.
    const viewport = { width, height };
    const profile = await all.browser.profile({ colorScheme, viewport, reducedMotion: 'reduce' });
    const page = await profile.open(await place.console({ table: 'payments' }));
    const { keys, choose, search, open, close, button, dialog } = operator(page);
    const expectFine = async (name: string): Promise<void> => {
      await page.screenshot({ path: `${PICTURES}console-${name}-${colorScheme}-${width}.png` });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(await barriers(page)).toEqual([]);
    };
    expect(await keys()).toHaveLength(3);
    await expectFine('first');
    for (const name of ['In doubt', 'Stuck', 'In progress']) await choose(name);
    await search();
    await expect.poll(keys, { timeout: 10_000 }).toHaveLength(6);
    await page.getByText('What the states mean').click();
    await expectFine('all');
    await page.getByText('What the states mean').click();
    await open('order-7003');
    await expectFine('completed');
    await close();
    await open('3f0c9f0e-6d5f-4c1c-9a4b-53d1d9a2f8b1');
    await expectFine('record');
    await button('Record an outcome…').click();
    await dialog.waitFor();
    await expectFine('dialog');
    await page.getByLabel('Body').fill('charged');
    await button('Record this outcome').click();
    await page.getByRole('alert').waitFor();
    await expectFine('refused');
    await profile.close();
  });
});
