export interface Row {
  readonly scenario: string;
  readonly deliveries: number;
  readonly runs: number;
  readonly orders: number;
  /** Of the payment provider. */
  readonly requests: number;
  readonly charges: number;
  readonly answers: readonly string[];
}

const COLUMNS: readonly [heading: string, cell: (row: Row) => string | number][] = [
  ['scenario', ({ scenario }) => scenario],
  ['sent', ({ deliveries }) => deliveries],
  ['runs', ({ runs }) => runs],
  ['orders', ({ orders }) => orders],
  ['asked', ({ requests }) => requests],
  ['charges', ({ charges }) => charges],
  ['callers saw', ({ answers }) => tally(answers)],
];

/** A line for each scenario; `asked`: how often the payment provider was. */
export function tableOf(rows: readonly Row[]): string {
  const lines = [
    COLUMNS.map(([heading]) => heading),
    ...rows.map((row) => COLUMNS.map(([, cell]) => String(cell(row)))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function tally(answers: readonly string[]): string {
  const counts = Map.groupBy(answers, (answer) => answer.replace('201 replayed', 'replay'));
  return [...counts].map(([answer, all]) => (all.length > 1 ? `${all.length}× ${answer}` : answer)).join(', ');
}
