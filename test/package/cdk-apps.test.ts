import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { manifest, npmInstall, ours, projectOf, root, run, type Versions } from './project.ts';

const AWS = ours('@aws-sdk/client-dynamodb', 'esbuild', 'aws-cdk');
const oldest = (name: string): string => manifest.peerDependencies[name].replace('^', '');

describe('the app that `cdk init app --language typescript` makes today', () => {
  const TEMPLATE = join(root, 'node_modules/aws-cdk/lib/init-templates/app/typescript');
  const read = (name: string): string =>
    readFileSync(join(TEMPLATE, name), 'utf8')
      .replaceAll('%name.PascalCased%', 'Shop')
      .replaceAll(/%(stack)?name%/g, 'shop')
      .replaceAll('%cdk-version%', manifest.devDependencies['aws-cdk-lib'])
      .replaceAll('%cdk-cli-version%', manifest.devDependencies['aws-cdk'])
      .replaceAll('%constructs-version%', manifest.devDependencies.constructs);
  let app: string;

  it('installs and type-checks with our constructs, and a handler in `.mts`', () => {
    const { dependencies, devDependencies, ...own } = JSON.parse(read('package.json'));
    app = projectOf(
      'today',
      { ...dependencies, ...devDependencies, ...AWS },
      {
        'tsconfig.json': read('tsconfig.json'),
        'jest.config.js': jestToday(read('jest.config.js')),
        'cdk.json': read('cdk.template.json'),
        'bin/shop.ts': read('bin/%name%.template.ts'),
        'lib/shop-stack.ts': stack('aws-cdk-lib/core', 'src/charge.mts'),
        'src/charge.mts': HANDLER,
        'test/shop.test.ts': test('../src/charge.mjs'),
      },
      { ...own, type: undefined },
    );
    npmInstall(app);
    expect(run(app, 'npx', 'tsc')).toBe('');
  });

  it('synthesizes a function that loads', () => {
    run(app, 'npx', 'cdk', 'synth', '--quiet');
    expect(loaded(app)).toBe('function');
  });

  it('passes its tests in Jest, of the stack and of the handler', () => {
    run(app, 'npx', 'jest');
  });
});

describe('the app of 2024: ts-node, ts-jest, CommonJS and the resolution of Node 10, on the oldest CDK', () => {
  let app: string;
  const versions: Versions = {
    'aws-cdk-lib': oldest('aws-cdk-lib'),
    constructs: oldest('constructs'),
    '@types/jest': '^29.5.12',
    '@types/node': '22.5.4',
    jest: '^29.7.0',
    'ts-jest': '^29.2.5',
    'ts-node': '^10.9.2',
    typescript: '~5.6.2',
  };

  it('installs', () => {
    app = projectOf(
      'of-2024',
      { ...AWS, ...versions },
      {
        'tsconfig.json': JSON.stringify(TSCONFIG_2024),
        'jest.config.js': JEST_2024,
        'cdk.json': JSON.stringify({ app: 'npx ts-node --prefer-ts-exts bin/shop.ts' }),
        'bin/shop.ts': `import * as cdk from 'aws-cdk-lib';\nimport { ShopStack } from '../lib/shop-stack';\nnew ShopStack(new cdk.App(), 'shop');\n`,
        'lib/shop-stack.ts': stack('aws-cdk-lib', 'src/charge.ts'),
        'src/charge.ts': HANDLER,
        'test/shop.test.ts': test('../src/charge'),
      },
      { type: undefined },
    );
    npmInstall(app);
  });

  it('type-checks, all declarations included, and synthesizes a function that loads', () => {
    // ts-node checks what it runs.
    run(app, 'npx', 'cdk', 'synth', '--quiet');
    expect(loaded(app)).toBe('function');
  });

  it('passes its tests in Jest, of the stack and of the handler', () => {
    run(app, 'npx', 'jest');
  });
});

/** The type of the handler in the first bundle of an app. */
function loaded(app: string): string {
  const [asset] = readdirSync(join(app, 'cdk.out')).filter((name) => name.startsWith('asset.'));
  const load = `import('./cdk.out/${asset}/index.mjs').then(({ handler }) => console.log(typeof handler))`;
  return run(app, 'node', '-e', load).trim();
}

/** The recipe of docs/constructs.md: Jest compiles the ESM of this package, too. */
function jestToday(template: string): string {
  const [before = '', after = ''] = template.split(`'^.+\\\\.tsx?$': ['@swc/jest']`);
  const recipe = `
  transformIgnorePatterns: ['/node_modules/(?!effectively-once/)'],
  moduleFileExtensions: ['js', 'ts', 'mts', 'json', 'node'],
  moduleNameMapper: { '^(\\\\.{1,2}/.*)\\\\.mjs$': '$1.mts' },
`;
  return `${before}'^.+\\\\.m?[jt]sx?$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' } } }]${after.replace('},', () => `},${recipe}`)}`;
}

const JEST_2024 = `module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\\\.tsx?$': 'ts-jest',
    'effectively-once/.+\\\\.js$': ['ts-jest', { diagnostics: false, isolatedModules: true, tsconfig: { allowJs: true, target: 'ES2022', module: 'commonjs' } }],
  },
  transformIgnorePatterns: ['/node_modules/(?!effectively-once/)'],
};`;

const TSCONFIG_2024 = {
  compilerOptions: {
    target: 'ES2020',
    module: 'commonjs',
    lib: ['es2020', 'dom'],
    declaration: true,
    strict: true,
    noImplicitAny: true,
    strictNullChecks: true,
    noImplicitThis: true,
    alwaysStrict: true,
    noUnusedLocals: false,
    noUnusedParameters: false,
    noImplicitReturns: true,
    noFallthroughCasesInSwitch: false,
    inlineSourceMap: true,
    inlineSources: true,
    experimentalDecorators: true,
    strictPropertyInitialization: false,
    typeRoots: ['./node_modules/@types'],
  },
  exclude: ['node_modules', 'cdk.out'],
};

const stack = (core: string, entry: string): string => `
import * as cdk from '${core}';
import { Construct } from 'constructs';
import { IdempotencyAudit, IdempotencyTable, IdempotentFunction, IdempotentQueueConsumer } from 'effectively-once/cdk';

export class ShopStack extends cdk.Stack {
  constructor(scope: Construct, id: string, props?: cdk.StackProps) {
    super(scope, id, props);
    const table = new IdempotencyTable(this, 'Idempotency');
    new IdempotentFunction(this, 'Charge', { entry: '${entry}', table, scope: 'charge' });
    new IdempotentQueueConsumer(this, 'Orders', { entry: '${entry}', table, scope: 'orders' });
    cdk.Aspects.of(this).add(new IdempotencyAudit({ report: 'error' }));
  }
}
`;

const HANDLER = `
import { dynamoDBStore, idempotent, type Store } from 'effectively-once';

export const createHandler = (store: Store, charge: (orderId: string) => Promise<string>) =>
  idempotent(async (order: { orderId: string }) => charge(order.orderId), { store, scope: 'charge', key: (order) => order.orderId });

export const handler = createHandler(dynamoDBStore(), async (orderId) => orderId);
`;

const test = (handler: string): string => `
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { memoryStore } from 'effectively-once';
import { ShopStack } from '../lib/shop-stack';
import { createHandler } from '${handler}';

test('the stack has a table of records', () => {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  Template.fromStack(new ShopStack(app, 'shop')).resourceCountIs('AWS::DynamoDB::Table', 1);
});

test('an order is charged once', async () => {
  const charge = jest.fn(async (orderId: string) => 'charge of ' + orderId);
  const handler = createHandler(memoryStore(), charge);
  const context: any = { getRemainingTimeInMillis: () => 1000 };
  const order = { orderId: 'o-1' };
  expect([await handler(order, context), await handler(order, context)]).toEqual(['charge of o-1', 'charge of o-1']);
  expect(charge).toHaveBeenCalledTimes(1);
});
`;
