import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { startDynamoDB } from '../../local/dynamodb.ts';
import { basics } from './histories/basics.ts';
import type { History } from './histories/history.ts';
import { keys } from './histories/keys.ts';
import { leases } from './histories/leases.ts';
import { middyHistories } from './histories/middy.ts';
import { ownership } from './histories/ownership.ts';
import { results } from './histories/results.ts';
import { type Finding, labOf } from './lab.ts';
import type { Library } from './library.ts';
import { ours } from './ours.ts';
import { powertools } from './powertools.ts';

/** Plays the histories of docs/hazards.md with both libraries on one embedded DynamoDB, and prints what happened. */
const HISTORIES: readonly History[] = [...basics, ...ownership, ...keys, ...leases, ...results, ...middyHistories];
const LIBRARIES = [powertools, ours];
const STORY = 66;
const FOUND = 48;

// What libraries warn of is not what they do.
console.warn = () => {};
console.error = () => {};

const engine = await startDynamoDB();
const safe = new Map(LIBRARIES.map((library) => [library, 0]));
print(
  '',
  'history',
  LIBRARIES.map(({ name }) => name),
);
for (const history of HISTORIES) {
  const findings: Finding[] = [];
  for (const library of LIBRARIES) {
    const finding = await play(history, library);
    if (finding.isSafe) safe.set(library, (safe.get(library) ?? 0) + 1);
    findings.push(finding);
  }
  print(
    history.id,
    history.story,
    findings.map(({ isSafe, saw }) => `${isSafe ? '✓' : '✗'} ${saw}`),
  );
}
print(
  '',
  'as it should be',
  LIBRARIES.map((library) => `${safe.get(library)} of ${HISTORIES.length}`),
);
console.log(`
Each library is set up as its documentation shows first. Powertools avoids A8 and A14 with a store for each operation, A9 with
throwOnNoIdempotencyKey (half a key excepted), A13 with payloadValidationJmesPath. A18 needs a process that serves several invocations
at once. In D1 effectively-once refuses durable contexts altogether.`);
await engine.stop();
process.exit(safe.get(ours) === HISTORIES.length ? 0 : 1);

async function play({ play }: History, library: Library): Promise<Finding> {
  const { lab, close } = await labOf(library, engine);
  const failed = (error: unknown): Finding => ({ isSafe: false, saw: `could not be played: ${error}` });
  const late = sleep(20_000, undefined, { ref: false }).then(() => failed('it did not end'));
  return Promise.race([play(lab).catch(failed), late]).finally(close);
}

function print(id: string, story: string, found: readonly string[]): void {
  const cells = found.map((cell) => paint(cell, cell.padEnd(FOUND)));
  console.log(id.padEnd(5) + story.padEnd(STORY) + cells.join(' '));
}

function paint(cell: string, text: string): string {
  if (!/^[✓✗]/.test(cell)) return styleText('bold', text);
  return styleText(cell.startsWith('✓') ? 'green' : 'red', text);
}
