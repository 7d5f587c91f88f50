import { type Bundle, type Chunk, sizeOf } from '../../bundled.ts';
import { bundleOf, HANDLERS, SDKS } from '../bundles.ts';
import type { Row, Table } from '../table.ts';

/** What a function deploys, and what fills it. */
export async function* measure(): AsyncGenerator<Table> {
  const rows: Row[] = [];
  const bundles = new Map<string, Bundle>();
  for (const sdk of SDKS) {
    for (const [kind, handlers] of Object.entries(HANDLERS)) {
      for (const [file, name] of Object.entries(handlers)) {
        const bundle = await bundleOf(file, sdk, 'bundled');
        bundles.set(`${file}, ${sdk}`, bundle);
        const [loaded, onDemand] = [sizeOf(bundle.loaded), sizeOf(bundle.onDemand)];
        const cells = [loaded.minified, loaded.gzipped, onDemand.minified].map(kilobytes);
        rows.push({ group: `${kind}, ${sdk}`, name, cells });
      }
    }
  }
  yield { title: 'Bundles, minified', columns: ['KB', 'KB gzipped', 'KB loaded on demand'], rows };
  for (const file of ['ours-middy', 'powertools-middy']) {
    const { loaded, onDemand } = bundles.get(`${file}, SDK external`) as Bundle;
    const rows = [...contents('loaded', loaded), ...contents('loaded on demand', onDemand)];
    yield { title: `What fills ${file}, SDK external`, columns: ['bytes'], rows };
  }
}

const kilobytes = (bytes: number): number => Math.round(bytes / 102.4) / 10;

const LEAST = 100;

function contents(group: string, chunks: readonly Chunk[]): Row[] {
  const inputs = chunks.flatMap((chunk) => Object.entries(chunk.inputs)).filter(([, bytes]) => bytes >= LEAST);
  return inputs
    .sort(([, a], [, b]) => b - a)
    .map(([file, bytes]) => ({ group, name: file.replace(/^.*node_modules\//, ''), cells: [bytes] }));
}
