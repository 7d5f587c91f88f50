import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { chromiumPath } from './chromium.ts';

const PATIENCE_MS = 10_000;

/** This machine, by a name that makes a page insecure: loopback addresses do not. */
export const INSECURE_HOST = 'shop.test';

/** A Chromium for the tests of a file. */
export interface TestBrowser {
  /** A profile of its own, with nothing stored. */
  readonly profile: (options?: BrowserContextOptions) => Promise<Profile>;
  readonly stop: () => Promise<void>;
}

export interface Profile {
  readonly context: BrowserContext;
  /** A tab that shows this. */
  readonly open: (url: string) => Promise<Page>;
  /** Closes it. Fails if a page threw, broke its content security policy, or asked for anything from elsewhere. */
  readonly close: () => Promise<void>;
}

export async function openBrowser(): Promise<TestBrowser> {
  const args = ['--no-sandbox', `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`];
  const browser = await chromium.launch({ executablePath: chromiumPath(), args });
  const profile = async (options: BrowserContextOptions = {}): Promise<Profile> => {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(PATIENCE_MS);
    const faults: string[] = [];
    const open = async (url: string): Promise<Page> => {
      const page = await context.newPage();
      watch(page, new URL(url).origin, faults);
      await page.goto(url);
      return page;
    };
    const close = async (): Promise<void> => {
      await context.close();
      expect(faults).toEqual([]);
    };
    return { context, open, close };
  };
  return { profile, stop: () => browser.close() };
}

function watch(page: Page, origin: string, faults: string[]): void {
  page.on('pageerror', (error) => faults.push(`thrown: ${error.message}`));
  page.on('console', (message) => {
    // Of a request that fails Chromium says so, too: that is what the tests are about.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      faults.push(message.text());
  });
  page.on('request', (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (protocol.startsWith('http') && asked !== origin) faults.push(`asked ${request.url()}`);
  });
}
