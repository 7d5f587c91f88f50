import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore, type Store } from 'effectively-once';
import type { Page } from 'playwright-core';
import { type ConsoleOptions, type RunningConsole, startConsole } from '../../cli/console.ts';
import { LOCAL } from '../../local/dynamodb.ts';
import { engineClient } from '../engine.ts';
import { newTable, run } from '../operate/world.ts';
import { openBrowser, type Profile, type TestBrowser } from './browser.ts';

/** A table, its store, of which nothing is cached, and consoles on it. */
export interface Place {
  readonly table: string;
  readonly store: Store;
  /** A run of a customer's, in a process of its own; one that hangs is killed. Gives what it said. */
  readonly run: (told: Omit<Parameters<typeof run>[0], 'table'>) => Promise<string>;
  /** A console, until the tests are over. Gives its address. */
  readonly console: (options?: Partial<ConsoleOptions>) => Promise<string>;
}

export interface ConsoleInBrowser {
  readonly browser: TestBrowser;
  readonly client: DynamoDBClient;
  readonly place: (table?: string) => Promise<Place>;
  readonly stop: () => Promise<void>;
}

export async function openConsoleInBrowser(): Promise<ConsoleInBrowser> {
  const client = engineClient();
  const browser = await openBrowser();
  const running: RunningConsole[] = [];
  const place = async (given?: string): Promise<Place> => {
    const table = given ?? (await newTable());
    const store = dynamoDBStore({ client, tableName: table, cache: false });
    return {
      table,
      store,
      run: (told) => run({ ...told, table }),
      console: async (options) => {
        const started = await startConsole({ store, table, region: LOCAL.region, ...options });
        running.push(started);
        return started.url;
      },
    };
  };
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((one) => one.stop()));
    await browser.stop();
    client.destroy();
  };
  return { browser, client, place, stop };
}

/** What an operator does on the page, and sees. */
export function operator(page: Page) {
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const record = page.locator('section.record');
  return {
    page,
    record,
    button,
    dialog: page.getByRole('dialog'),
    /** The keys that a search has found, once it is over. */
    keys: async (): Promise<string[]> => {
      await page.getByRole('region', { name: 'Records' }).and(page.locator('[aria-busy="false"]')).waitFor();
      return page.locator('tbody a').allTextContents();
    },
    /** Opens a record from the list, and waits until all of it is there. */
    open: async (key: string): Promise<void> => {
      await page.getByRole('link', { name: key, exact: true }).click();
      await record.getByRole('heading', { name: key, exact: true }).waitFor();
      await record.getByText('The record itself').waitFor();
    },
    close: () => record.getByRole('button', { name: 'Close' }).click(),
    choose: (state: string) => page.getByRole('group', { name: 'State' }).getByText(state, { exact: true }).click(),
    field: (label: string) => page.getByRole('search').getByLabel(label, { exact: true }),
    search: () => button('Search').click(),
    /** What it says that went wrong. */
    problem: async (): Promise<string> => {
      const said = page.getByRole('alert').locator('p');
      await said.waitFor();
      return (await said.textContent()) ?? '';
    },
    /** What it says that was done. */
    said: async (): Promise<string> => {
      const said = record.getByRole('status').filter({ hasText: /./ });
      await said.waitFor();
      return (await said.textContent()) ?? '';
    },
    focused: () =>
      page.evaluate<string>(
        '(document.activeElement.ariaLabel || document.activeElement.labels?.[0]?.textContent || document.activeElement.textContent).trim()',
      ),
  };
}

export type Operator = ReturnType<typeof operator>;

/** A new operator before a console, whose page is closed, and must be without faults, when it is over. */
export async function withOperator(
  { browser }: Pick<ConsoleInBrowser, 'browser'>,
  url: string,
  run: (operator: Operator, profile: Profile) => Promise<void>,
): Promise<void> {
  const profile = await browser.profile();
  await run(operator(await profile.open(url)), profile);
  await profile.close();
}
