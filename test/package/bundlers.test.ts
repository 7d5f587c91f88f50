import { describe, expect, it } from 'vitest';
import { npmInstall, ours, projectOf, run } from './project.ts';

/** Runs once, and commits to a DynamoDB that is not there: what is loaded late is loaded, too. */
const MAIN = `
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore, memoryStore, runOnce } from 'effectively-once';
import { recordId } from 'effectively-once/operator';

const sent = [];
const handle = async ({ headers }) => {
  sent.push(headers['x-amz-target'].split('.')[1]);
  return { response: { statusCode: 200, headers: {}, body: Buffer.from('{}') } };
};
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const client = new DynamoDBClient({ region: 'eu-west-1', credentials, requestHandler: { handle } });
const options = { scope: 's', key: 'k', lease: '30s' };
const twice = async (store, fn) => [await runOnce({ ...options, store }, fn), await runOnce({ ...options, store }, fn)];

export async function main() {
  const values = await twice(memoryStore(), ({ attempt }) => attempt);
  const store = dynamoDBStore({ tableName: 'records', client });
  const write = { Put: { TableName: 'orders', Item: { id: 'o-1' } } };
  await runOnce({ ...options, store }, ({ commit }) => commit('done', [write]));
  console.log(JSON.stringify({ values, sent, id: recordId({ scope: 's', key: 'k' }).slice(0, 2) }));
}
`;
const START = "import { main } from './main.mjs';\nmain();\n";

const EXPECTED = {
  values: [1, 1],
  sent: ['PutItem', 'TransactWriteItems'],
  id: 's#',
};

const BUILDS: readonly (readonly [name: string, args: readonly string[], out: string])[] = [
  [
    'esbuild, ESM',
    ['esbuild', 'start.mjs', '--bundle', '--platform=node', '--format=esm', '--outfile=out/esm.mjs', REQUIRE()],
    'out/esm.mjs',
  ],
  [
    'esbuild, ESM in chunks',
    [
      'esbuild',
      'start.mjs',
      '--bundle',
      '--platform=node',
      '--format=esm',
      '--splitting',
      '--outdir=out/split',
      '--out-extension:.js=.mjs',
      REQUIRE(),
    ],
    'out/split/start.mjs',
  ],
  [
    'esbuild, CommonJS',
    ['esbuild', 'start.mjs', '--bundle', '--platform=node', '--format=cjs', '--outfile=out/cjs.cjs'],
    'out/cjs.cjs',
  ],
  ['webpack', ['webpack', '--config', 'webpack.config.mjs'], 'out/webpack.cjs'],
  ['rollup', ['rollup', '--config', 'rollup.config.mjs', '--silent'], 'out/rollup/start.mjs'],
  ['tsup', ['tsup', 'start.mjs', '--format', 'esm,cjs', '--out-dir', 'out/tsup'], 'out/tsup/start.cjs'],
];

function REQUIRE(): string {
  return "--banner:js=import { createRequire as make } from 'node:module'; const require = make(import.meta.url);";
}

describe('the package, bundled by', () => {
  let project: string;
  it('what a project has', () => {
    const tools = {
      webpack: '^5.113.0',
      'webpack-cli': '^6.0.1',
      rollup: '^4.68.8',
      '@rollup/plugin-node-resolve': '^16.0.3',
      '@rollup/plugin-commonjs': '^28.0.9',
      '@rollup/plugin-json': '^6.1.0',
      tsup: '^8.5.0',
      ...ours('esbuild', 'typescript', '@aws-sdk/client-dynamodb', '@aws-sdk/lib-dynamodb'),
    };
    project = projectOf('bundlers', tools, {
      'main.mjs': MAIN,
      'start.mjs': START,
      'webpack.config.mjs': `export default { mode: 'production', optimization: { minimize: false }, target: 'node22', entry: './start.mjs', output: { path: import.meta.dirname + '/out', filename: 'webpack.cjs', chunkFormat: 'commonjs', chunkFilename: 'webpack-[id].cjs' } };`,
      'rollup.config.mjs': `import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import resolve from '@rollup/plugin-node-resolve';
export default { input: 'start.mjs', output: { dir: 'out/rollup', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' }, plugins: [resolve({ preferBuiltins: true, exportConditions: ['node'] }), commonjs(), json()] };`,
    });
    npmInstall(project, '--legacy-peer-deps');
  });

  it.each(BUILDS)('%s runs as it does unbundled', (_, args, out) => {
    run(project, 'npx', ...args);
    expect(JSON.parse(run(project, 'node', out))).toEqual(EXPECTED);
  });

  it('nobody runs so', () => {
    expect(JSON.parse(run(project, 'node', 'start.mjs'))).toEqual(EXPECTED);
  });

  it('Node, by `require`, runs so', () => {
    const load =
      "const { runOnce, memoryStore } = require('effectively-once'); console.log(typeof runOnce, typeof memoryStore)";
    expect(run(project, 'node', '--input-type=commonjs', '-e', load)).toBe('function function\n');
  });
});
