import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** What the middleware and the DynamoDB store add to a function's bundle, the AWS SDK aside. */
const LIMIT_KB = 80;

const { outputFiles, metafile } = await build({
  stdin: {
    contents: `export { idempotency } from 'effectively-once/middy'; export { dynamoDBStore } from 'effectively-once';`,
    resolveDir: fileURLToPath(new URL('..', import.meta.url)),
  },
  conditions: ['effectively-once-source'],
  external: ['@aws-sdk/*', '@middy/*'],
  bundle: true,
  minify: true,
  platform: 'node',
  format: 'esm',
  metafile: true,
  write: false,
});

const size = outputFiles[0]?.contents.length ?? 0;
const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
for (const [file, { bytesInOutput }] of inputs.sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)) {
  console.log(`${bytesInOutput.toString().padStart(7)}  ${file}`);
}
console.log(`${size.toString().padStart(7)}  in all, minified: ${(size / 1024).toFixed(1)} KB of at most ${LIMIT_KB}`);
process.exitCode = size > LIMIT_KB * 1024 ? 1 : 0;
