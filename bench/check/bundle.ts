import { fileURLToPath } from 'node:url';
import { bundled, type Chunk, sizeOf } from '../bundled.ts';
import type { Count } from './count.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What the middleware and the DynamoDB store add to a function, the AWS SDK and Middy aside; and the client, to a page. */
export async function bundle(): Promise<readonly Count[]> {
  return [...(await ofFunction()), ...(await ofPage())];
}

async function ofFunction(): Promise<readonly Count[]> {
  const { loaded, onDemand } = await bundled({
    stdin: {
      contents: `export { idempotency } from 'effectively-once/middy'; export { dynamoDBStore } from 'effectively-once';`,
      resolveDir: ROOT,
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

async function ofPage(): Promise<readonly Count[]> {
  const { loaded } = await bundled({
    stdin: { contents: `export * from 'effectively-once/client';`, resolveDir: ROOT },
    conditions: ['effectively-once-source'],
    platform: 'browser', // where an import of a built-in is an error
  });
  const { minified, gzipped } = sizeOf(loaded);
  const of = 'bundle of the client';
  return [
    { of, what: 'bytes, minified', count: minified, note: largest(loaded) },
    { of, what: 'bytes, gzipped', count: gzipped },
  ];
}

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
