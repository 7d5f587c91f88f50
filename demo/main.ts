import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { oneIn, saidOf, shareOf, startFlaky } from '../local/flaky.ts';
import { isPlaced, place, SCENARIOS, type Scenario, until } from './scenarios.ts';
import { openShop, type Shop } from './shop.ts';
import { type Row, tableOf } from './table.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { serve: { type: 'boolean' }, flaky: { type: 'string' } } });
  const { serve = false, flaky } = values;
  const share = shareOf(flaky);
  if (flaky !== undefined && !serve) throw new Error('--flaky is for `npm run demo -- --serve`.');
  let shop: Shop | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, async () => {
      await shop?.stop();
      process.exit(130);
    });
  }
  process.stdout.write('Starting DynamoDB, SQS and the functions … ');
  const port = serve ? portOf(process.env['PORT']) : undefined;
  shop = await openShop(share > 0 ? 0 : port);
  const { url } = share > 0 ? await startFlaky(shop.api.url, oneIn(share), port ?? 0) : shop.api;
  console.log('up.');
  if (serve) return showHowToCall(url, share);
  const failed = await playAll(shop).finally(shop.stop);
  process.exitCode = failed ? 1 : 0;
}

async function playAll(shop: Shop): Promise<boolean> {
  await warmUp(shop);
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const scenario of SCENARIOS) {
    process.stdout.write(`  ${scenario.name} … `);
    try {
      const row = await play(shop, scenario);
      rows.push(row);
      console.log('ok');
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof Unexpected) rows.push(error.row);
      failures.push(`${scenario.name}: ${message}`);
      console.log(`FAILED: ${message}`);
    }
  }
  console.log(`\n${tableOf(rows)}\n`);
  console.log(
    failures.length > 0
      ? failures.join('\n')
      : 'Every order was placed once and charged once; the declined one was not.',
  );
  return failures.length > 0;
}

// Three at once, so that a double click later finds two functions ready.
async function warmUp(shop: Shop): Promise<void> {
  const keys = ['warm-up-1', 'warm-up-2', 'warm-up-3'];
  await until('three orders of the warm-up', async () => {
    const answers = await Promise.all(keys.map((key) => place(shop, key)));
    return answers.every(isPlaced);
  });
  const isCharged = async () => (await Promise.all(keys.map(shop.charges))).every((count) => count === 1);
  await until('their charges', isCharged);
}

/** What a scenario has come to, and should not have. */
class Unexpected extends Error {
  readonly row: Row;

  constructor(row: Row) {
    super('not every effect happened as often as it should have, or a caller saw something else');
    this.row = row;
  }
}

async function play(shop: Shop, { name, expected, play: run }: Scenario): Promise<Row> {
  const before = { ...shop.counts };
  const { orderIds, answers } = await run(shop);
  const effects = await settled(shop, orderIds, expected.charges);
  const row: Row = {
    scenario: name,
    deliveries: shop.counts.deliveries - before.deliveries,
    runs: shop.counts.runs - before.runs,
    orders: effects.filter(({ hasOrder }) => hasOrder).length,
    requests: effects.reduce((sum, effect) => sum + effect.requests, 0),
    charges: effects.reduce((sum, effect) => sum + effect.charges, 0),
    answers,
  };
  const isOnce = effects.every(
    (effect) =>
      effect.charges === expected.charges &&
      effect.requests === (expected.chargeRequests ?? expected.charges) &&
      Number(effect.hasOrder) === expected.orders,
  );
  if (isOnce && row.runs === expected.runs && expected.sees(answers)) return row;
  throw new Unexpected(row);
}

/** Effects once nothing more is to come; a double charge would come within the visibility timeout, of 1 s. */
async function settled(shop: Shop, orderIds: readonly string[], charges: number) {
  const areCharged = async () => (await Promise.all(orderIds.map(shop.charges))).every((count) => count >= charges);
  await until(`${charges} charge of each order`, areCharged);
  await sleep(1_100);
  return Promise.all(
    orderIds.map(async (id) => ({
      hasOrder: await shop.hasOrder(id),
      charges: await shop.charges(id),
      requests: await shop.chargeRequests(id),
    })),
  );
}

function showHowToCall(url: string, share: number): void {
  console.log(`
The shop is open at ${url}. Try to place one order twice.${saidOf(share)}

Or from a shell: place an order, as often as you like, and see it placed once:

  curl -i ${url}/orders -H 'Content-Type: application/json' -H 'Idempotency-Key: my-first-order' -d '{"item":"book","amount":1000}'

The same key with another payload is refused:

  curl -i ${url}/orders -H 'Content-Type: application/json' -H 'Idempotency-Key: my-first-order' -d '{"item":"book","amount":9900}'

And look at it:

  curl ${url}/orders/my-first-order

Ctrl-C ends it.`);
}

function portOf(given = '0'): number {
  const port = Number(given);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new Error(`PORT is ${given}: set it to a number from 0 to 65535, or leave it unset.`);
}

function explain(error: unknown): string {
  const { code, message, port } = error as NodeJS.ErrnoException & { port?: number };
  return code === 'EADDRINUSE' ? `Port ${port} is in use: set PORT to another, or leave it unset.` : message;
}

await main().catch((error) => {
  console.error(`\n${explain(error)}`);
  process.exit(1);
});
