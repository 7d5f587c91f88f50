import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { interval, type Row } from './report.ts';

const COLOURS = { '1 attempt': '#9aa3ad', '3 attempts': '#1f6feb', '5 attempts': '#0b3d91' };

/** Two panels: how many calls succeed, and how many have their effect twice. */
export async function draw(rows: readonly Row[]): Promise<string> {
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    config: { font: 'system-ui, sans-serif', view: { stroke: null } },
    hconcat: [succeeded(rows), doubled(rows)],
    spacing: 60,
  } as unknown as TopLevelSpec;
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

const nameOf = (attempts: number): string => `${attempts} attempt${attempts === 1 ? '' : 's'}`;

const X = {
  field: 'p',
  type: 'quantitative',
  axis: { title: 'requests that fail', format: '.0%', values: [0, 0.1, 0.2, 0.3], grid: false },
};
const COLOUR = {
  field: 'attempts',
  scale: { domain: Object.keys(COLOURS), range: Object.values(COLOURS) },
  legend: { title: null, orient: 'bottom' },
};

/** 1 − pⁿ as lines; what was measured, with its interval, as points. */
function succeeded(rows: readonly Row[]) {
  const attempts = [...new Set(rows.map((row) => row.attempts))];
  const curve = attempts.flatMap((n) =>
    Array.from({ length: 33 }, (_, step) => ({ p: step / 100, attempts: nameOf(n), share: 1 - (step / 100) ** n })),
  );
  const points = rows.map(({ p, attempts, unlimited }) => {
    const [from, to] = interval(unlimited);
    return { p, attempts: nameOf(attempts), share: unlimited.succeeded / unlimited.calls, from, to };
  });
  const y = { type: 'quantitative', scale: { domain: [0.65, 1] }, axis: { title: null, format: '.0%' } };
  return {
    title: { text: 'Calls that succeed, without the budget (lines: 1 − pⁿ)', anchor: 'start', fontSize: 12 },
    width: 340,
    height: 220,
    encoding: { x: X, color: COLOUR },
    layer: [
      { data: { values: curve }, mark: { type: 'line', strokeWidth: 1.5 }, encoding: { y: { field: 'share', ...y } } },
      {
        data: { values: points },
        mark: { type: 'rule' },
        encoding: { y: { field: 'from', ...y }, y2: { field: 'to' } },
      },
      {
        data: { values: points },
        mark: { type: 'point', filled: true, size: 45 },
        encoding: { y: { field: 'share', ...y } },
      },
    ],
  };
}

function doubled(rows: readonly Row[]) {
  const points = rows
    .filter(({ attempts }) => attempts > 1)
    .flatMap(({ p, attempts, kept, keyless }) => [
      { p, attempts: nameOf(attempts), key: 'without a key', share: keyless.doubled / keyless.calls },
      { p, attempts: nameOf(attempts), key: 'with a key: none', share: kept.doubled / kept.calls },
    ]);
  return {
    title: { text: 'Calls whose effect happens twice (dashed: without a key)', anchor: 'start', fontSize: 12 },
    width: 340,
    height: 220,
    data: { values: points },
    mark: { type: 'line', point: true, strokeWidth: 1.5 },
    encoding: {
      x: X,
      y: { field: 'share', type: 'quantitative', axis: { title: null, format: '.0%' } },
      color: COLOUR,
      strokeDash: { field: 'key', sort: 'ascending', legend: null },
    },
  };
}
