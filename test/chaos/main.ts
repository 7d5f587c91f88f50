import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { startCloud } from '../../local/cloud.ts';
import { recordId } from '../../src/core/identity.ts';
import { acceptedIn } from './checks.ts';
import { placeOrders } from './customers.ts';
import { type Plan, planOf } from './plan.ts';
import { report } from './report.ts';
import { startSaboteur } from './saboteur.ts';
import { settle } from './settle.ts';
import { SHORTENED, shopIn } from './shop.ts';

/** Of the run, its cloud not included. */
const LONGEST_MS = 240_000;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { seed: { type: 'string' } } });
  const seed = Number(values.seed ?? randomInt(1, 2 ** 31));
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed is ${values.seed}: give a whole number.`);
  const plan = planOf(seed);
  console.log(`Seed ${seed}: ${plan.orders.length} orders, ${plan.kills.length} kills.`);
  console.log('Deploying the stack into a local AWS …');
  const cloud = await startCloud();
  try {
    const orderOf = recordsOf(plan);
    const shop = await shopIn(cloud);
    const saboteur = await startSaboteur({ plan, upstream: cloud.endpoint, parent: cloud.pid, orderOf });
    await shop.redirect(saboteur.endpoint);
    console.log(
      `Functions time out after ${SHORTENED.timeoutSeconds} s, messages come again after ${SHORTENED.visibilitySeconds} s.`,
    );
    const started = Date.now();
    const deadline = started + LONGEST_MS;
    const sends = await placeOrders(shop, plan.orders, deadline);
    console.log(`All orders are sent, after ${secondsSince(started)} s. Waiting until all is quiet …`);
    const planned = new Map(plan.orders.map((order) => [order.key, order]));
    const retry = async (key: string): Promise<void> => {
      const order = planned.get(key);
      if (!order) return;
      const again = await placeOrders(shop, [{ ...order, sends: [{ afterMs: 0 }], duplicates: [] }], deadline);
      sends.http.push(...again.http);
    };
    const state = await settle(shop, { orderOf, accepted: acceptedIn(sends) }, retry, deadline);
    const { text, failed } = report({ plan, sends, log: saboteur.log, state }, secondsSince(started));
    console.log(`\n${text}`);
    process.exitCode = failed > 0 ? 1 : 0;
    await saboteur.stop();
  } finally {
    await cloud.stop();
  }
}

/** Whose record an id names. */
function recordsOf({ orders }: Plan): (record: string) => string | undefined {
  const known = new Map(
    orders.flatMap(({ key }) => [
      [recordId('place-order', ['POST', '/orders'], undefined, key), key],
      [recordId('charge-order', [], undefined, key), key],
    ]),
  );
  return (record) => known.get(record);
}

function secondsSince(ms: number): number {
  return Math.round((Date.now() - ms) / 1000);
}

await main().catch((error) => {
  console.error(error);
  console.log('\n      Tests  1 failed (1)');
  process.exit(1);
});
