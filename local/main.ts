import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Cloud, startCloud } from './cloud.ts';
import { oneIn, saidOf, shareOf, startFlaky } from './flaky.ts';
import { down, forget, type Started, started, startedNow } from './started.ts';

async function up(share: number): Promise<void> {
  const other = await started();
  if (other) throw new Error('The local AWS is up already: `npm run local -- --down` ends it.');
  // One directory for all that is written, so that `--down` can remove it, too, when this process was killed.
  const directory = mkdtempSync(join(tmpdir(), 'effectively-once-local-'));
  const now: Started = { pid: process.pid, directory };
  startedNow(now);
  process.once('exit', () => forget(now));
  process.env['TMPDIR'] = directory;

  let cloud: Cloud | undefined;
  const end = async (): Promise<void> => {
    console.log('\nEnding …');
    await cloud?.stop();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end);
  cloud = await startCloud({
    tell: (line) => console.log(line),
    started: (server) => startedNow({ ...now, server }),
  });
  const { ApiUrl = '' } = cloud.outputs['Orders'] ?? {};
  const { url } = share > 0 ? await startFlaky(ApiUrl, oneIn(share)) : { url: ApiUrl };
  showHowToCall(cloud, url, share);
}

function showHowToCall({ endpoint, outputs }: Cloud, url: string, share: number): void {
  const { QueueUrl, LedgerTableName } = outputs['Orders'] ?? {};
  const order = "-H 'Content-Type: application/json' -H 'Idempotency-Key: my-first-order'";
  console.log(`
The local AWS is up at ${endpoint}.

  shop          ${url}
  queue         ${QueueUrl}
  ledger table  ${LedgerTableName}

Open the shop in a browser, and try to place one order twice.${saidOf(share)}

Or from a shell: place an order, as often as you like, and see it placed once:

  curl -i ${url}/orders ${order} -d '{"item":"book","amount":1000}'

The same key with another payload is refused:

  curl -i ${url}/orders ${order} -d '{"item":"book","amount":9900}'

Look at it:

  curl ${url}/orders/my-first-order

Send an order to be charged, as often as you like:

  curl ${QueueUrl} -d Action=SendMessage -d 'MessageBody={"orderId":"my-second-order","item":"book","amount":1000}'

And see in the ledger that each was charged once:

  curl ${endpoint} -H 'X-Amz-Target: DynamoDB_20120810.Scan' -d '{"TableName":"${LedgerTableName}"}'

Ctrl-C ends it and removes everything; from elsewhere, \`npm run local -- --down\`.`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { down: { type: 'boolean' }, flaky: { type: 'string' } } });
  return values.down ? down() : up(shareOf(values.flaky));
}

await main().catch((error) => {
  console.error(`\n${(error as Error).message}`);
  process.exit(1);
});
