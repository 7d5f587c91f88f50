import { readFileSync } from 'node:fs';
import { limitsTable } from './limits.ts';
import { dollars, grouped, table } from './markdown.ts';
import { type Budget, budgets, measurePaths, type Path } from './paths.ts';
import { CONTENTS, ORDER, resultName, SIZES, SUBJECTS, sizeName } from './subjects.ts';

/** What the paths of the library cost at these prices, in sections of Markdown. */
interface Prices {
  readonly region: string;
  readonly mode: string;
  readonly since: string;
  readonly checked: string;
  readonly page: string;
  readonly perMillionWriteUnits: number;
  readonly perMillionReadUnits: number;
  readonly perGBMonth: number;
  readonly bytesPerGB: number;
  readonly overheadBytesPerItem: number;
  readonly ttlLagDays: number;
  readonly daysPerMonth: number;
}

const PRICES: Prices = JSON.parse(readFileSync(new URL('prices.json', import.meta.url), 'utf8'));
const BILLION = 1e9;

export async function costSections(): Promise<Record<string, string>> {
  const paths = await measurePaths(SUBJECTS.filter(({ isVarying }) => !isVarying));
  return {
    prices: priceTable(),
    paths: pathTable(paths),
    results: resultTable(paths),
    records: recordTable(paths),
    ttl: ttlTable(paths),
    limits: limitsTable(),
  };
}

function priceTable(): string {
  const { region, mode, since, checked, page } = PRICES;
  const rows = [
    ['a million write units', dollars(PRICES.perMillionWriteUnits)],
    ['a million read units', dollars(PRICES.perMillionReadUnits)],
    ['a GB for a month', dollars(PRICES.perGBMonth)],
    ['bytes in a GB', grouped(PRICES.bytesPerGB)],
    ['bytes that each item is billed besides its own', grouped(PRICES.overheadBytesPerItem)],
    ['days by which TTL lags', grouped(PRICES.ttlLagDays)],
    ['days of a month', grouped(PRICES.daysPerMonth)],
  ];
  const source = `Of [the price list](${page}), ${region}, ${mode}: since ${since}, checked ${checked}.`;
  return `${source}\n\n${table(['input', 'value'], rows)}`;
}

function pathTable(paths: readonly Path[]): string {
  const most = budgets();
  const rows = SUBJECTS.filter(({ name }) => !/ of (JSON|random)$/.test(name)).map(({ name }) => {
    const path = paths.find((measured) => measured.name === name);
    const taken = path ?? most[name];
    if (!taken) throw new Error(`bench/budgets.json has no budget for "${name}"`);
    const figures = [taken.requests, taken.writeUnits, taken.readUnits].map(grouped);
    return [name, ...[...figures, dollars(perMillion(taken))].map((figure) => (path ? figure : `at most ${figure}`))];
  });
  return table(['path', 'requests', 'write units', 'read units', 'a million of them'], rows);
}

/** Dollars for a million times. */
function perMillion({ writeUnits, readUnits }: Omit<Budget, 'requests'>): number {
  return writeUnits * PRICES.perMillionWriteUnits + readUnits * PRICES.perMillionReadUnits;
}

function resultTable(paths: readonly Path[]): string {
  const rows = Object.keys(CONTENTS).flatMap((content) =>
    SIZES.map((kilobytes) => {
      const [run, duplicate] = [
        first(paths, kilobytes, content),
        named(paths, resultName(kilobytes, content, 'duplicate')),
      ];
      return [
        resultName(kilobytes, content, 'first run').replace('first run, ', ''),
        ...units(run),
        ...units(duplicate),
      ];
    }),
  );
  const columns = ['requests', 'write', 'read', 'a million'];
  const headings = [
    'result',
    ...columns.map((name) => `first: ${name}`),
    ...columns.map((name) => `duplicate: ${name}`),
  ];
  return table(headings, rows);
}

function units(path: Path): string[] {
  return [...[path.requests, path.writeUnits, path.readUnits].map(grouped), dollars(perMillion(path))];
}

function first(paths: readonly Path[], kilobytes: number, content: string): Path {
  return named(paths, resultName(kilobytes, content, 'first run'));
}

function named(paths: readonly Path[], name: string): Path {
  const path = paths.find((measured) => measured.name === name);
  if (!path) throw new Error(`there is no path "${name}"`);
  return path;
}

/** What a record is billed, in GB for 10^9 of them. */
function gigabytes({ bytes, items }: Path): number {
  return (BILLION * (bytes + items * PRICES.overheadBytesPerItem)) / PRICES.bytesPerGB;
}

function recordTable(paths: readonly Path[]): string {
  const kinds: [string, Path][] = [
    [`${JSON.stringify(ORDER).length} bytes`, named(paths, 'first run')],
    ...SIZES.map((kilobytes): [string, Path] => [sizeName(kilobytes, 'JSON'), first(paths, kilobytes, 'JSON')]),
  ];
  const rows = kinds.map(([result, path]) => [
    result,
    path.items,
    grouped(path.bytes),
    grouped(Math.round(gigabytes(path))),
    dollars(gigabytes(path) * PRICES.perGBMonth),
    dollars(1_000 * perMillion(path)),
  ]);
  return table(
    ['result', 'items', 'bytes of a record', 'GB for 10^9', 'their storage a month', 'their first runs'],
    rows,
  );
}

/** A table that takes 10^9 records a day. */
function ttlTable(paths: readonly Path[]): string {
  const perDay = gigabytes(named(paths, 'first run')) * PRICES.perGBMonth;
  const rows = [1, 7, 30].map((days) => [
    `${days} ${days === 1 ? 'day' : 'days'}`,
    dollars(perDay * days),
    dollars(perDay * (days + PRICES.ttlLagDays)),
    `${Math.round((100 * PRICES.ttlLagDays) / days)} %`,
  ]);
  return table(['retention', 'storage a month', 'with the lag', 'the lag adds'], rows);
}

async function main(): Promise<void> {
  for (const [name, section] of Object.entries(await costSections())) console.log(`\n## ${name}\n\n${section}`);
}

if (import.meta.main) await main();
