import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, expect, it } from 'vitest';
import { CHECKOUT, PATH } from '../../local/install.ts';
import { SITE, VENV } from './setup.ts';
import { type Shape, shapeOf } from './shape.ts';
import { shapeOfTerraform } from './terraform-shape.ts';

const templates = join(CHECKOUT, 'examples/without-constructs');
const fromSite = createRequire(join(SITE, 'package.json'));
const run = (cwd: string, command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, PATH, AWS_DEFAULT_REGION: 'us-east-1' },
  });
const text = (file: string): string => readFileSync(join(templates, file), 'utf8');

let ours: Shape;
beforeAll(async () => {
  const { PaymentsStack } = await import('../../examples/readme/stack.ts');
  process.chdir(join(CHECKOUT, 'test/readme-project')); // where its entries are
  const outdir = mkdtempSync(join(tmpdir(), 'effectively-once-docs-'));
  const stack = new PaymentsStack(new App({ outdir, context: { 'aws:cdk:bundling-stacks': [] } }), 'Payments');
  ours = shapeOf(Template.fromStack(stack).toJSON() as any);
  process.chdir(CHECKOUT);
});

it('CloudFormation: cfn-lint accepts it, and it makes what our constructs make', () => {
  run(templates, join(VENV, 'bin/cfn-lint'), 'cloudformation.yaml');
  const customTags = ['Ref', 'GetAtt', 'Sub'].map((name) => ({
    tag: `!${name}`,
    resolve: (value: string) => ({ [name]: value }),
  }));
  expect(shapeOf(fromSite('yaml').parse(text('cloudformation.yaml'), { customTags }))).toEqual(ours);
});

it('SAM: cfn-lint accepts it, and AWS’s own translator makes of it what our constructs make', () => {
  run(templates, join(VENV, 'bin/cfn-lint'), 'sam.yaml');
  const translated = run(templates, join(VENV, 'bin/python'), join(SITE, 'translate-sam.py'), 'sam.yaml');
  expect(shapeOf(JSON.parse(translated))).toEqual(ours);
});

it('Serverless: its schema accepts it, and it packages what our constructs make', () => {
  const project = mkdtempSync(join(tmpdir(), 'effectively-once-serverless-'));
  cpSync(join(templates, 'serverless.yml'), join(project, 'serverless.yml'));
  for (const name of ['charge', 'orders']) {
    mkdirSync(join(project, 'dist', name), { recursive: true });
    writeFileSync(join(project, 'dist', name, 'index.mjs'), 'export const handler = async () => {};\n');
  }
  run(project, process.execPath, join(SITE, 'node_modules/osls/bin/serverless.js'), 'package');
  const packaged = join(project, '.serverless/cloudformation-template-update-stack.json');
  run(project, join(VENV, 'bin/cfn-lint'), packaged);
  expect(shapeOf(JSON.parse(readFileSync(packaged, 'utf8')))).toEqual(ours);
}, 60_000);

it('Terraform: HashiCorp’s parser reads it, and it makes what our constructs make', async () => {
  const { parse } = fromSite('@cdktf/hcl2json');
  expect(shapeOfTerraform(await parse('main.tf', text('main.tf')))).toEqual(ours);
});

it('the bundle loads by itself', async () => {
  mkdirSync(join(SITE, '.cache'), { recursive: true });
  const project = mkdtempSync(join(SITE, '.cache/bundle-'));
  mkdirSync(join(project, 'src'));
  for (const [name, example] of Object.entries({ charge: 'handler', orders: 'batch' })) {
    cpSync(join(CHECKOUT, 'examples/readme', `${example}.ts`), join(project, 'src', `${name}.ts`));
  }
  cpSync(join(CHECKOUT, 'examples/readme/payments.ts'), join(project, 'src/payments.ts'));
  cpSync(join(templates, 'build.ts'), join(project, 'build.ts'));
  installSources(project);
  run(project, process.execPath, '--disable-warning=ExperimentalWarning', 'build.ts');
  for (const name of ['charge', 'orders']) {
    const elsewhere = join(mkdtempSync(join(tmpdir(), 'effectively-once-bundle-')), 'index.mjs');
    cpSync(join(project, 'dist', name, 'index.mjs'), elsewhere);
    expect((await import(pathToFileURL(elsewhere).href)).handler).toBeTypeOf('function');
  }
  rmSync(project, { recursive: true });
});

/** The package as a project finds it, of the sources: nothing is built for it. */
function installSources(project: string): void {
  const installed = join(project, 'node_modules/effectively-once');
  mkdirSync(installed, { recursive: true });
  symlinkSync(join(CHECKOUT, 'src'), join(installed, 'src'));
  const exports = { '.': './src/index.ts', './middy': './src/middy/index.ts' };
  writeFileSync(join(installed, 'package.json'), JSON.stringify({ name: 'effectively-once', type: 'module', exports }));
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
}
