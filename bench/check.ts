import { readFileSync } from 'node:fs';
import { bundle } from './check/bundle.ts';
import type { Check, Count } from './check/count.ts';
import { paths } from './check/paths.ts';
import { work } from './check/work.ts';

/** Compares counts, which no noise changes, with `budgets.json`; a broken budget fails. A name limits it to one of them. */
const CHECKS: Readonly<Record<string, Check>> = { paths, work, bundle };
const [only] = process.argv.slice(2);
if (only && !CHECKS[only]) throw new Error(`${only} is not one of ${Object.keys(CHECKS).join(', ')}`);

type Budgets = Record<string, Record<string, number>>;
const budgets: Budgets = JSON.parse(readFileSync(new URL('budgets.json', import.meta.url), 'utf8'));

const counts: Count[] = [];
for (const [name, check] of Object.entries(CHECKS)) if (!only || name === only) counts.push(...(await check()));
const width = Math.max(...counts.map(({ what }) => what.length));
let of = '';
let broken = 0;
for (const count of counts) {
  if (count.of !== of) console.log(`\n${count.of}`);
  of = count.of;
  report(count, budgets[of]?.[count.what]);
}
for (const [of, whats] of Object.entries(budgets)) {
  for (const what of Object.keys(whats)) {
    if (only || counts.some((count) => count.of === of && count.what === what)) continue;
    broken++;
    console.log(`\nbudgets.json limits "${what}" of "${of}", which nothing counts`);
  }
}
console.log(`\n${counts.length} counts, ${broken} over budget or without one`);
process.exitCode = broken === 0 ? 0 : 1;

function report({ what, count, note }: Count, budget: number | undefined): void {
  const isWithin = budget !== undefined && count <= budget;
  if (!isWithin) broken++;
  const limit = budget === undefined ? 'no budget' : `of ${budget}`;
  const verdict = isWithin ? '' : budget === undefined ? '✗' : `✗ ${count - budget} too many`;
  console.log(
    `  ${what.padEnd(width)} ${`${count}`.padStart(7)} ${limit.padEnd(10)} ${verdict || (note ?? '')}`.trimEnd(),
  );
}
