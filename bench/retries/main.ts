import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { sideBySide } from './beside/table.ts';
import { draw } from './draw.ts';
import { burstJobs, outageJobs, sequenceJobs } from './plan.ts';
import { allDone } from './pool.ts';
import { burstTable, outageTable, sequenceRows, sequenceTable, violations } from './report.ts';

/**
 * `npm run bench:retries [-- --calls N]`: calls through `retrying` to a handler of ours, in virtual time and with seeded chance;
 * then it beside other clients, on a real server. Fails if an effect was doubled, or if chance does not explain what succeeded.
 */
const { values } = parseArgs({ options: { calls: { type: 'string', default: '1000000' } } });
const calls = Number(values.calls);

const begun = performance.now();
const jobs = [...sequenceJobs(calls), ...burstJobs(calls), ...outageJobs()];
const results = await allDone(jobs);
const rows = sequenceRows(jobs, results);
const sections = {
  'one call after the other': sequenceTable(rows),
  'so many calls at once, 3 in 10 fail, 3 attempts': burstTable(jobs, results),
  'an outage of a minute, 20 calls a second, 3 attempts': outageTable(jobs, results),
  'beside others': await sideBySide(),
};
for (const [title, table] of Object.entries(sections)) console.log(`\n## ${title}\n\n${table}`);
if (calls === 1_000_000) writeFileSync(new URL('../../docs/retries.svg', import.meta.url), await draw(rows));
const wrong = violations(jobs, results);
console.log(`\n${wrong.length > 0 ? wrong.join('\n') : 'No effect was doubled under a key, and the rest is chance.'}`);
console.log(`${((performance.now() - begun) / 1_000).toFixed(0)} s`);
process.exitCode = wrong.length > 0 ? 1 : 0;
