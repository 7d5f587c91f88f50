import { simulate } from './simulation/arrivals.ts';
import { checked, selfCheck } from './simulation/check.ts';
import { batchTable, growthTable, loadTable, sourceTable } from './simulation/report.ts';
import { BATCHES, LOADS } from './simulation/scenarios.ts';

/** Where a table breaks first, at a thousand to a million callers a second; in sections of Markdown. */
export function simulationSections(): Record<string, string> {
  selfCheck();
  return {
    loads: loadTable(LOADS.map(simulate).map(checked)),
    batches: batchTable(BATCHES.map(simulate).map(checked)),
    growth: growthTable(),
    assumed: sourceTable(),
  };
}

function main(): void {
  for (const [name, section] of Object.entries(simulationSections())) console.log(`\n## ${name}\n\n${section}`);
}

if (import.meta.main) main();
