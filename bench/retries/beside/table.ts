import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { table } from '../../markdown.ts';
import { CLIENTS, type Client } from './clients.ts';
import { openShop, SCENARIOS, type Scenario, type Shop } from './server.ts';

const PATIENCE_MS = 15_000;

/** Every client in every scenario, each with an order of its own, on one real server: the answer, the requests and the effects. */
export async function sideBySide(): Promise<string> {
  const shop = await openShop();
  try {
    const rows = await Promise.all(
      CLIENTS.map(async (client) => {
        const cells = await Promise.all(SCENARIOS.map((scenario) => played(shop, client, scenario)));
        return [client.name, ...cells];
      }),
    );
    return table(['client', ...SCENARIOS], rows);
  } finally {
    shop.close();
  }
}

async function played(shop: Shop, { post, isKeyed }: Client, scenario: Scenario): Promise<string> {
  const order = randomUUID();
  const end = post(shop.url(scenario, order), isKeyed ? order : undefined).then(
    (status) => `${status}`,
    () => 'error',
  );
  const answer = await Promise.race([end, sleep(PATIENCE_MS, 'waits', { ref: false })]);
  const { requests, effects } = shop.seen(order);
  const isDouble = effects > 1 ? `, **${effects} effects**` : '';
  return `${answer} in ${requests}${isDouble}`;
}
