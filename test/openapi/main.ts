import { deepEqual, equal, notDeepEqual } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openShop } from '../../demo/shop.ts';
import { faultsOf, typesOf } from './description.ts';

/**
 * `npm run test:openapi`: lints the descriptions, generates a typed client of the example shop from its own, compiles it, and calls
 * the shop with it.
 */
const at = (path: string): URL => new URL(path, import.meta.url);
const FRAGMENT = at('../../openapi/idempotency.yaml');
const ORDERS = at('../../examples/orders/openapi.yaml');

async function check(what: string, run: () => unknown): Promise<void> {
  await run();
  console.log(`✓ ${what}`);
}

await check('the fragment has no faults', async () => deepEqual(await faultsOf(FRAGMENT, true), []));
await check('the description of the shop has none', async () => deepEqual(await faultsOf(ORDERS), []));
await check('the linter would find one', async () => {
  const careless = at('../../examples/orders/careless.yaml');
  writeFileSync(careless, readFileSync(ORDERS, 'utf8').replaceAll('responses/Mismatch', 'responses/Missing'));
  try {
    notDeepEqual(await faultsOf(careless), []);
  } finally {
    rmSync(careless);
  }
});
await check('a typed client compiles against it', async () => {
  mkdirSync(at('generated/'), { recursive: true });
  writeFileSync(at('generated/orders.ts'), await typesOf(ORDERS));
  const tsc = fileURLToPath(at('../../node_modules/typescript/bin/tsc'));
  execFileSync(process.execPath, [tsc, '-p', fileURLToPath(at('.'))], { stdio: ['ignore', 'inherit', 'inherit'] });
});

const shop = await openShop();
try {
  await check('and calls the shop', async () => {
    const { callsOf } = await import('./client.ts');
    const key = randomUUID();
    const order = { orderId: key, item: 'book', amount: 500 };
    const { first, duplicate, ...rest } = await callsOf(shop.api.url, key);
    deepEqual(first, { status: 201, order });
    deepEqual(duplicate, { attempts: 1, replayed: true, key, replayable: true, order });
    deepEqual(rest, { mismatch: 'MISMATCH', invalid: 'KEY_INVALID', found: order });
    equal(await shop.hasOrder(key), true);
  });
} finally {
  await shop.stop();
}
