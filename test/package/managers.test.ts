import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { npmInstall, ours, projectOf, run, writeAll } from './project.ts';

const MAIN = `
import middy from '@middy/core';
import { isIdempotencyError, memoryStore, runOnce, subscribe } from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { recordId } from 'effectively-once/operator';
import { explore } from 'effectively-once/testing';

const store = memoryStore();
const context = { getRemainingTimeInMillis: () => 1000 };
const handler = middy().use(idempotency({ store, scope: 's', key: () => 'k' })).handler(async (_, { idempotency }) => idempotency.attempt);
const answers = [await handler({ id: 1 }, context), await handler({ id: 1 }, context)];
console.log(JSON.stringify([answers, typeof explore, recordId({ scope: 's', key: 'k' }).slice(0, 2)]));
`;
const EXPECTED = [[1, 1], 'function', 's#'];
const PEERS = ours('@aws-sdk/client-dynamodb', '@middy/core');

describe('the package, installed by', () => {
  it('pnpm, strictly, without a peer that it does not need', () => {
    const project = projectOf('pnpm', PEERS, { 'main.mjs': MAIN });
    run(project, 'npx', '--yes', 'pnpm@12', 'install', '--prefer-offline', '--ignore-scripts');
    expect(JSON.parse(run(project, 'node', 'main.mjs'))).toEqual(EXPECTED);
  });

  it('Yarn, with Plug’n’Play', () => {
    const project = projectOf('yarn', PEERS, {
      'main.mjs': MAIN,
      'yarn.lock': '',
      '.yarnrc.yml':
        'nodeLinker: pnp\nenableGlobalCache: false\nenableTelemetry: false\nenableImmutableInstalls: false\n',
    });
    const yarn = (...args: readonly string[]) => run(project, 'npx', '--yes', '@yarnpkg/cli-dist@4', ...args);
    yarn('install');
    expect(JSON.parse(yarn('node', 'main.mjs'))).toEqual(EXPECTED);
  });

  it('npm, for Bun, which runs it', () => {
    const project = projectOf('bun', { ...PEERS, bun: '^1.4.5' }, { 'main.mjs': MAIN });
    npmInstall(project, '--foreground-scripts');
    run(project, 'node', 'node_modules/bun/install.js');
    expect(JSON.parse(run(project, 'npx', 'bun', 'main.mjs'))).toEqual(EXPECTED);
  });

  it('npm, in workspaces that have a copy each: errors and events of one are known to the other', () => {
    const member = (name: string, code: string) => ({
      [`${name}/package.json`]: JSON.stringify({
        name,
        version: '1.0.0',
        type: 'module',
        exports: './index.mjs',
        dependencies: { 'effectively-once': `file:${inject('tarball')}`, ...PEERS },
      }),
      [`${name}/index.mjs`]: code,
    });
    const project = projectOf('workspaces', {}, {}, { dependencies: {}, workspaces: ['payments', 'shop'] });
    writeAll(project, {
      ...member(
        'payments',
        `import { memoryStore, runOnce } from 'effectively-once';
export const fail = () => runOnce({ store: memoryStore(), scope: 's', key: '', lease: '1s' }, () => 1);
export const where = import.meta.resolve('effectively-once');`,
      ),
      ...member(
        'shop',
        `import { isIdempotencyError, subscribe } from 'effectively-once';
import { fail, where } from 'payments';
const types = [];
subscribe(({ type }) => types.push(type));
const error = await fail().catch((error) => error);
console.log(JSON.stringify({ isKnown: isIdempotencyError(error), code: error.code, types, isOther: where !== import.meta.resolve('effectively-once') }));`,
      ),
    });
    npmInstall(project, '--install-strategy=nested');
    const told = JSON.parse(run(join(project, 'shop'), 'node', 'index.mjs'));
    expect(told).toMatchObject({ isKnown: true, code: 'KEY_MISSING', isOther: true });
    expect(told.types).toContain('refused');
  });
});
