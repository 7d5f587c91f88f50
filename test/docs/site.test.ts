import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKOUT, run } from '../../local/install.ts';
import { serve } from '../../site/server.ts';
import { BUILT, SITE } from './setup.ts';

const pages = globSync('**/*.html', { cwd: BUILT }).filter((page) => page !== '404.html');
const browsers = (process.env['PATH'] ?? '').split(delimiter).flatMap((folder) => globSync(join(folder, 'chromium')));
if (browsers.length === 0) console.log('There is no `chromium` on the PATH: nobody has looked at the site.');

it('its sources compile', async () => {
  await run(process.execPath, [join(SITE, 'node_modules/typescript/bin/tsc'), '-p', SITE], { cwd: CHECKOUT });
});

it('has a page for every page of docs, and for every door of the package', () => {
  const docs = globSync('docs/*.md', { cwd: CHECKOUT }).map((file) => file.slice('docs/'.length, -'.md'.length));
  expect(pages).toEqual(expect.arrayContaining(docs.map((page) => `${page}.html`)));
  const { exports } = createRequire(join(CHECKOUT, 'package.json'))('./package.json');
  const doors = Object.keys(exports).filter((door) => !/\.(json|yaml)$/.test(door));
  expect(pages).toEqual(expect.arrayContaining(doors.map((door) => `api/effectively-once${door.slice(1)}.html`)));
});

describe.skipIf(browsers.length === 0)('in Chromium', () => {
  let site: Awaited<ReturnType<typeof serve>>;
  let browser: any;
  beforeAll(async () => {
    site = await serve(BUILT, 0);
    const { chromium } = createRequire(join(SITE, 'package.json'))('playwright-core');
    browser = await chromium.launch({ executablePath: browsers[0], args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await site.stop();
  });

  it('every page fits, loads nothing from elsewhere, and reports no error: narrow and dark, wide and light', async () => {
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on('request', (request: any) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(site.url)) faults.push(request.url());
    });
    page.on('pageerror', (error: Error) => faults.push(`${page.url()}: ${error}`));
    page.on('console', (said: any) => said.type() === 'error' && faults.push(`${page.url()}: ${said.text()}`));
    for (const path of pages) {
      for (const [width, colorScheme] of [
        [390, 'dark'],
        [1440, 'light'],
      ]) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        if (width === 390) await page.goto(`${site.url}/${path}`, { waitUntil: 'load' });
        const over = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        if (over > 0) faults.push(`${path} is ${over} pixels too wide for ${width}`);
      }
    }
    await page.close();
    expect(faults).toEqual([]);
  }, 120_000);

  it('draws diagrams, and finds what is searched for', async () => {
    const page = await browser.newPage();
    await page.goto(site.url);
    await page.waitForSelector('.diagram svg');
    await page.keyboard.press('Control+k');
    await page.fill('#localsearch-input', 'maxReceiveCount');
    await page.waitForSelector('.result');
    expect(await page.textContent('.results')).toContain('SQS');
    await page.close();
  });
});
