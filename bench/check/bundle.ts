import { fileURLToPath } from 'node:url';
import { bundled, type Chunk, sizeOf } from '../bundled.ts';
import type { Count } from './count.ts';

/** What the middleware and the DynamoDB store add to a function, the AWS SDK and Middy aside. */
export async function bundle(): Promise<readonly Count[]> {
  const { loaded, onDemand } = await bundled({
    stdin: {
      contents: `export { idempotency } from 'effectively-once/middy'; export { dynamoDBStore } from 'effectively-once';`,
      resolveDir: fileURLToPath(new URL('../..', import.meta.url)),
    },
    conditions: ['effectively-once-source'],
    external: ['@aws-sdk/*', '@middy/*'],
  });
  const [start, later] = [sizeOf(loaded), sizeOf(onDemand)];
  const metrics = sizeOf(onDemand.filter(({ inputs }) => 'src/observe/environment.ts' in inputs));
  if (metrics.minified === 0) throw new Error('src/observe/environment.ts is loaded on demand by nobody');
  return [
    { of: OF, what: 'bytes, minified', count: start.minified, note: largest(loaded) },
    { of: OF, what: 'bytes, gzipped', count: start.gzipped },
    { of: OF, what: 'bytes loaded on demand, minified', count: later.minified, note: names(onDemand) },
    {
      of: OF,
      what: 'bytes of metrics, minified',
      count: metrics.minified,
      note: 'loaded where IDEMPOTENCY_METRICS is set',
    },
  ];
}

const OF = 'bundle of Middy and store';

function largest(chunks: readonly Chunk[]): string {
  const inputs = chunks.flatMap((chunk) => Object.entries(chunk.inputs)).sort(([, a], [, b]) => b - a);
  return `the largest: ${inputs
    .slice(0, 3)
    .map(([file, bytes]) => `${file} ${bytes}`)
    .join(', ')}`;
}

function names(chunks: readonly Chunk[]): string {
  const list = chunks.map(({ inputs, contents }) => `${Object.keys(inputs).join(' + ')} ${contents.length}`);
  return list.join(', ') || 'there is none';
}
