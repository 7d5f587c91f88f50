import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Part } from './part.ts';
import type { Spread } from './statistics.ts';
import type { Row, Table } from './table.ts';

type Tables = Partial<Record<Part, readonly Table[]>>;

/** What is drawn of a row: a figure, and the middle half of its samples. */
interface Mark {
  readonly group: string;
  readonly way: string;
  readonly median: number;
  readonly from: number;
  readonly to: number;
}

const COLOURS = {
  'bare SDK calls': '#9aa3ad',
  'bare SDK calls, in groups': '#c9ced4',
  Powertools: '#e6a15c',
  'Powertools, validating': '#c96f1e',
  'effectively-once': '#1f6feb',
  'effectively-once, one by one': '#8ab4f8',
};

/** The picture of a whole run: one panel for each question. */
export async function draw(tables: Tables, versions: Record<string, string>): Promise<string> {
  const panels = [
    panel(
      'CPU of a first run, as a multiple of bare SDK calls (embedded engine)',
      of(tables, 'cpu', /^First run, embedded engine$/, 1),
    ),
    panel(
      'CPU of a duplicate, as a multiple of bare SDK calls (embedded engine)',
      of(tables, 'cpu', /^Duplicate.*engine$/, 1),
    ),
    panel(
      'Own overhead of a first run (the client answers at once), µs of CPU',
      of(tables, 'cpu', /^First run, own/, 0).filter(isLone),
    ),
    panel('CPU of a first run in a young process, as a multiple of bare SDK calls', of(tables, 'alone', /./, 1)),
    panel('First answer of a cold start, ms', of(tables, 'cold', /./, 3)),
    panel('Results of JSON, first run: write units', large(tables)),
  ];
  const spec: TopLevelSpec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    config: { font: 'system-ui, sans-serif', view: { stroke: null }, axis: { grid: false } },
    title: {
      text: 'effectively-once beside bare SDK calls and Powertools: less is better',
      subtitle: Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
      anchor: 'start',
      offset: 16,
    },
    concat: panels,
    columns: 2,
    spacing: 70,
    bounds: 'flush',
    resolve: { scale: { y: 'independent' } },
  } as TopLevelSpec;
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

function of(tables: Tables, part: Part, title: RegExp, cell: number): Mark[] {
  const rows = (tables[part] ?? []).filter((table) => title.test(table.title)).flatMap((table) => table.rows);
  return rows.flatMap((row) => mark(row, cell));
}

function mark({ group, name, cells }: Row, cell: number): Mark[] {
  const value = cells[cell] as Spread | number | undefined;
  if (value === undefined || typeof value === 'string') return [];
  const { median, quartiles } = typeof value === 'number' ? { median: value, quartiles: [value, value] } : value;
  return [{ group, way: name, median, from: quartiles[0] as number, to: quartiles[1] as number }];
}

/** A batch, a commit and a transaction are other measures. */
const isLone = ({ group }: Mark): boolean => ['handler', 'Middy', 'runOnce'].includes(group);

/** Two lines, if there is a comma followed by a space. */
const LINES = "split(datum.label, ', ')";

const WRITE_UNITS = 4;
function large(tables: Tables): Mark[] {
  const marks = of(tables, 'large', /JSON/, WRITE_UNITS).filter(({ group }) => /first run/.test(group));
  return marks.map((one) => ({ ...one, group: one.group.replace(', first run', '') }));
}

function panel(title: string, marks: readonly Mark[]) {
  const ways = Object.keys(COLOURS).filter((way) => marks.some((one) => one.way === way));
  const sort = [...new Set(marks.map(({ group }) => group))];
  return {
    title: { text: title, fontSize: 12, anchor: 'start' },
    data: { values: marks },
    width: 420,
    height: 190,
    encoding: {
      x: {
        field: 'group',
        type: 'nominal',
        sort,
        axis: { title: null, labelAngle: 0, labelLimit: 200, labelExpr: LINES },
      },
      xOffset: { field: 'way', sort: ways },
    },
    layer: [
      {
        mark: { type: 'bar' },
        encoding: {
          y: { field: 'median', type: 'quantitative', axis: { title: null, tickCount: 5 } },
          color: {
            field: 'way',
            scale: { domain: Object.keys(COLOURS), range: Object.values(COLOURS) },
            legend: { title: null, orient: 'bottom', labelLimit: 300, columns: 2 },
          },
        },
      },
      {
        mark: { type: 'rule', strokeWidth: 1, color: '#222' },
        encoding: { y: { field: 'from', type: 'quantitative' }, y2: { field: 'to' } },
      },
    ],
  };
}
