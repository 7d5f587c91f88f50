import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Architecture, Code, LayerVersion } from 'aws-cdk-lib/aws-lambda';
import { type BundlingOptions, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { IdempotencyTable, IdempotentFunction } from 'effectively-once/cdk';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { testApp } from './assemblies.ts';

/** A user's project: a CommonJS dependency that asks for a built-in module, one that imports `createRequire`, and handlers. */
const FILES = {
  'package-lock.json': '{}',
  'package.json': '{"type":"module"}',
  'node_modules/common/package.json': '{"name":"common","main":"index.js"}',
  'node_modules/common/index.js': 'exports.join = require(process.env.NOTHING || "node:path").join;',
  'node_modules/modern/package.json': '{"name":"modern","type":"module","main":"index.js"}',
  'node_modules/modern/index.js':
    'import { createRequire } from "node:module"; const require = createRequire("/"); export const { EOL } = require("node:os");',
  'both.ts': `
import { join } from 'common';
import { EOL } from 'modern';
import { idempotent } from 'effectively-once';
export const handler = async () => [join('a', 'b'), EOL, typeof idempotent];`,
  'own-require.ts': `
import { createRequire } from 'node:module';
import { join } from 'common';
import { idempotent } from 'effectively-once';
const require = createRequire(import.meta.url);
export const handler = async () => [join('a', 'b'), require('node:os').EOL, typeof idempotent];`,
  'common.cts': `
import { join } from 'common';
import { idempotent } from 'effectively-once';
export const handler = async () => [join('a', 'b'), '\\n', typeof idempotent];`,
};

let project: string;
beforeAll(() => {
  project = mkdtempSync(join(inject('assemblies'), 'project-'));
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(join(project, name, '..'), { recursive: true });
    writeFileSync(join(project, name), text);
  }
  symlinkSync(resolve('.'), join(project, 'node_modules/effectively-once'));
  symlinkSync(resolve('node_modules/.bin'), join(project, 'node_modules/.bin'));
});

const SOURCES = { '--conditions': 'effectively-once-source,module' };

function build(entry: string, bundling: BundlingOptions, props: object, app?: App) {
  const outdir = mkdtempSync(join(inject('assemblies'), 'bundled-'));
  const stack = new Stack(app ?? new App({ outdir }), 'Stack');
  new IdempotentFunction(stack, 'Function', {
    entry: join(project, entry),
    table: new IdempotencyTable(stack, 'Table'),
    scope: 'bundled',
    depsLockFilePath: join(project, 'package-lock.json'),
    bundling: { ...bundling, esbuildArgs: { ...SOURCES, ...bundling.esbuildArgs } },
    ...props,
  });
  return outdir;
}

/** What a function answers that is bundled by the constructs. */
function answerOf(entry: string, bundling: BundlingOptions = {}): unknown {
  const outdir = build(entry, bundling, {});
  const [asset = ''] = readdirSync(outdir).filter((name) => name.startsWith('asset.'));
  const [file = ''] = readdirSync(join(outdir, asset)).filter((name) => /^index\.m?js$/.test(name));
  const call = `import('${join(outdir, asset, file)}').then(async (m) => console.log(JSON.stringify(await m.handler())))`;
  return JSON.parse(execFileSync(process.execPath, ['-e', call], { encoding: 'utf8', cwd: outdir }));
}

describe('a bundled function runs', () => {
  it.each<[string, string, BundlingOptions]>([
    ['with CommonJS dependencies, and one that imports `createRequire`', 'both.ts', {}],
    ['with a handler that declares `require`', 'own-require.ts', {}],
    ['with a banner of its own', 'both.ts', { banner: '/* mine */' }],
    [
      'with a banner that declares `require`',
      'both.ts',
      {
        banner: "import { createRequire as mine } from 'node:module'; const require = mine(import.meta.url);",
      },
    ],
    ['with a banner that ends in a comment', 'both.ts', { banner: 'globalThis.mine = 1; // mine' }],
    ['as CommonJS', 'common.cts', { format: OutputFormat.CJS }],
    ['as CommonJS, with a banner', 'common.cts', { format: OutputFormat.CJS, banner: '/* mine */' }],
    ['as it is written', 'both.ts', { minify: false }],
    ['without the SDK in it', 'both.ts', { bundleAwsSDK: false }],
  ])('%s', (_, entry, bundling) => {
    expect(answerOf(entry, bundling)).toEqual(['a/b', '\n', 'function']);
  });
});

describe('what would deploy a function that cannot load fails', () => {
  it.each<[string, BundlingOptions, RegExp]>([
    [
      'another format',
      { esbuildArgs: { '--format': 'cjs' } },
      /`bundling.esbuildArgs` has --format=cjs; expected `bundling.format`/,
    ],
    ['another banner', { esbuildArgs: { '--banner:js': '/**/' } }, /--banner:js=.*; expected `bundling.banner`/],
    [
      'the banner that everybody copies, as a dependency may import `createRequire`, too',
      { banner: "import { createRequire } from 'module'; const require = createRequire(import.meta.url);" },
      /`bundling.banner` imports createRequire; expected a banner without it/,
    ],
    ['another file', { esbuildArgs: { '--outfile': 'x.js' } }, /--outfile=x.js; expected none/],
    ['another platform', { esbuildArgs: { '--platform': 'browser' } }, /--platform=browser; expected none/],
    [
      'the package left out',
      { externalModules: ['effectively-once'] },
      /leaves effectively-once out; expected it in the bundle/,
    ],
    [
      'everything left out, by the argument',
      { esbuildArgs: { '--packages': 'external' } },
      /leaves effectively-once out/,
    ],
    ...['*', 'effectively-once/*', 'effectively-once/middy', 'effectively-*', '*-once'].map(
      (pattern): [string, BundlingOptions, RegExp] => [
        `${pattern} left out`,
        { externalModules: [pattern] },
        /leaves effectively-once out/,
      ],
    ),
    ...(
      [
        ['--external', 'effectively-once'],
        ['--external', ['zod', 'effectively-once']],
        ['--external:effectively-once', true],
        ['--external:effectively-once', ''],
        ['--external:effectively-once/*', true],
        ['--external:*', true],
        ['--packages=external', true],
      ] as const
    ).map(([name, value]): [string, BundlingOptions, RegExp] => [
      `left out by the argument ${name}: ${JSON.stringify(value)}`,
      { esbuildArgs: { [name]: typeof value === 'object' ? [...value] : value } },
      /leaves effectively-once out/,
    ]),
    ['another format, as one word', { esbuildArgs: { '--format=cjs': true } }, /has --format=cjs; expected/],
    ['another file, as one word', { esbuildArgs: { '--outfile=x.js': '' } }, /has --outfile=x.js; expected none/],
    ['splitting', { esbuildArgs: { '--splitting': true } }, /has --splitting; expected none/],
  ])('%s', (_, bundling, message) => {
    expect(() => build('both.ts', bundling, {}, testApp())).toThrow(message);
  });

  it.each<[string, BundlingOptions, () => object]>([
    ['the SDK left out', { externalModules: ['@aws-sdk/*'] }, () => ({})],
    ['the SDK left out, by the argument', { esbuildArgs: { '--external:@aws-sdk/*': true } }, () => ({})],
    ['native modules left out', { externalModules: ['*.node'] }, () => ({})],
    ['another package left out', { externalModules: ['effectively-once-more'] }, () => ({})],
    [
      'arguments that say no',
      { esbuildArgs: { '--external:effectively-once': false, '--splitting': false, '--packages': 'bundle' } },
      () => ({}),
    ],
    [
      'code that is bundled elsewhere',
      { externalModules: ['*'] },
      () => ({ code: Code.fromInline(' '), handler: 'index.handler' }),
    ],
    [
      'the package in a layer',
      { externalModules: ['effectively-once'] },
      () => ({
        layers: [
          LayerVersion.fromLayerVersionArn(new Stack(), 'Layer', 'arn:aws:lambda:eu-west-1:000000000000:layer:l:1'),
        ],
      }),
    ],
    ['x86', {}, () => ({ architecture: Architecture.X86_64 })],
  ])('but not %s', (_, bundling, props) => {
    expect(() => build('both.ts', bundling, props(), testApp())).not.toThrow();
  });
});
