import { pairwise, type Spread, spread } from './statistics.ts';

/** What a part measured, as it is printed and as it stands in `results.json`. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

export interface Row {
  /** The rows of a group are compared with its first. */
  readonly group: string;
  readonly name: string;
  readonly cells: readonly Cell[];
}

export type Cell = Spread | number | string;

/** The samples of one way, round by round. */
export interface Samples {
  readonly group: string;
  readonly name: string;
  readonly samples: readonly number[];
}

/** Each beside the first of its group, as a multiple of it and what it takes more, and beside the peer, if there is one. */
export function comparison(title: string, unit: string, all: readonly Samples[]): Table {
  const rows = all.map(({ group, name, samples }) => {
    const others = all.filter((one) => one.group === group);
    const first = others[0]?.samples ?? samples;
    const peer = others.find((one) => one.name.startsWith('Powertools'));
    const more = pairwise(samples, first, (a, b) => a - b);
    return {
      group,
      name,
      cells: [spread(samples), times(samples, first), more, peer ? times(samples, peer.samples) : ''],
    };
  });
  return { title, columns: [unit, '× first', 'above it', '× Powertools'], rows };
}

export function times(samples: readonly number[], base: readonly number[]): Spread {
  return pairwise(samples, base, (a, b) => a / b);
}

export function print({ title, columns, rows }: Table): void {
  const lines = rows.map(({ name, cells }) => [`  ${name}`, ...cells.map(text)]);
  const isNote = (line: readonly string[]): boolean => line.length === 2 && columns.length > 1;
  const widths = ['', ...columns].map((head, column) =>
    Math.max(head.length, ...lines.map((line) => (column > 0 && isNote(line) ? 0 : (line[column] ?? '').length))),
  );
  const aligned = (line: readonly string[]): string =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  console.log(`\n${title}`);
  console.log(`  ${aligned(['', ...columns])}`);
  for (const [index, line] of lines.entries()) {
    const { group = '' } = rows[index] ?? {};
    if (group !== (rows[index - 1]?.group ?? '')) console.log(`  ${group}`);
    console.log(`  ${isNote(line) ? `${line[0]?.padEnd(widths[0] ?? 0)}  ${line[1]}` : aligned(line)}`);
  }
}

function text(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number') return figure(cell);
  const [from, to] = cell.quartiles;
  return `${figure(cell.median)} [${figure(from)}–${figure(to)}]`;
}

/** Three digits, or all of a whole number. */
function figure(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
