import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { manifest, npmInstall, ours, projectOf, root, run, type Versions } from './project.ts';

const TOOLS = ours('typescript', '@types/node', 'esbuild');
const PEERS = ['@aws-sdk/client-dynamodb', '@aws-sdk/lib-dynamodb', '@middy/core', 'aws-cdk-lib', 'constructs'];

/** `^3.705.0` at its oldest. */
const oldest: Versions = Object.fromEntries(
  PEERS.map((name) => [name, manifest.peerDependencies[name].replace('^', '')]),
);

const OPTIONS = ['--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node', '--noEmit'];

describe.each<[string, Versions]>([
  ['of today', ours(...PEERS)],
  // Middy 7.0 does not load without the first, and has forgotten to depend on the second.
  ['at their oldest', { ...oldest, ...ours('@aws/durable-execution-sdk-js'), '@middy/util': '7.0.2' }],
])('with its peers %s', (_, peers) => {
  let project: string;
  it('is installed, and type-checks from every subpath', () => {
    project = projectOf('versions', { ...TOOLS, ...peers }, {});
    for (const file of ['consumer.ts', 'handler.ts'])
      copyFileSync(join(root, 'test/package', file), join(project, file));
    npmInstall(project);
    const options = [...OPTIONS, '--skipLibCheck', '--allowImportingTsExtensions'];
    expect(run(project, 'npx', 'tsc', ...options, 'consumer.ts', 'handler.ts')).toBe('');
  });

  it('runs, and its constructs synthesize a bundle of it', () => {
    const output = run(project, 'node', 'consumer.ts').trim().split('\n').at(-1) ?? '';
    const { answers, value, runs, id, isSafe, isKeyed, attempts, points } = JSON.parse(output);
    expect({ value, runs, isKeyed, attempts }).toEqual({ value: 7, runs: 1, isKeyed: true, attempts: 1 });
    expect(id).toMatch(/^s#/);
    const expected = { isSafe: false, points: ['crash after charge', 'crash before the completion'] };
    expect({ isSafe, points }).toEqual(expected);
    expect(answers).toEqual([
      { statusCode: 200, body: '1' },
      { statusCode: 200, body: '1', headers: { 'Idempotent-Replayed': 'true' } },
    ]);
    const assets = readdirSync(join(project, 'cdk.out')).filter((name) => name.startsWith('asset.'));
    const bundles = assets.map((asset) => readFileSync(join(project, 'cdk.out', asset, 'index.mjs'), 'utf8'));
    expect(bundles).toHaveLength(1);
    expect(bundles[0]).toContain('effectively-once');
    const load = `import('./cdk.out/${assets[0]}/index.mjs').then(({ handler }) => console.log(typeof handler))`;
    expect(run(project, 'node', '-p', load)).toContain('function');
  });
});

describe('the declarations of the middleware', () => {
  const MIDDY = ['7.0.0', '7.1.1', '7.2.1', '7.3.1', '7.6.5', '7.9.2'];
  const aliasOf = (version: string) => `middy-${version}`;
  let project: string;

  it('are installed beside the minor versions of Middy 7', () => {
    const versions = Object.fromEntries(MIDDY.map((version) => [aliasOf(version), `npm:@middy/core@${version}`]));
    const others = ours(
      'typescript',
      '@types/node',
      '@aws-sdk/client-dynamodb',
      '@aws-sdk/lib-dynamodb',
      '@aws/durable-execution-sdk-js',
    );
    project = projectOf('middy', { ...versions, ...others }, { 'chain.ts': CHAIN });
    npmInstall(project, '--legacy-peer-deps');
  });

  // Declarations are checked, too: where two of them contradict each other, TypeScript says so only then.
  it.each(MIDDY)('compile with Middy %s, declarations included', (version) => {
    const paths = { '@middy/core': [`./node_modules/${aliasOf(version)}/index.d.ts`] };
    const options = { strict: true, module: 'nodenext', target: 'es2024', types: ['node'], noEmit: true, paths };
    const file = `tsconfig.${version}.json`;
    const tsconfig = { compilerOptions: { ...options, skipLibCheck: false }, files: ['chain.ts'] };
    run(project, 'node', '-e', `fs.writeFileSync('${file}', ${JSON.stringify(JSON.stringify(tsconfig))})`);
    expect(run(project, 'npx', 'tsc', '-p', file)).toBe('');
  });
});

const CHAIN = `
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyResultV2, Context } from 'aws-lambda';
import { memoryStore } from 'effectively-once';
import { idempotency } from 'effectively-once/middy';

const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>()
  .use(idempotency({ store: memoryStore() }))
  .handler(async (_, { idempotency }) => ({ statusCode: 200, body: String(idempotency.attempt) }));

export const answer: Promise<APIGatewayProxyResultV2> = handler({} as APIGatewayProxyEventV2, {} as Context);

// @ts-expect-error only what is added after \`.use\` has it
middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>().handler(async (_, { idempotency }) => idempotency);
`;
