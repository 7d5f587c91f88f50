import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

/** A project that builds as it is. In the repository it is `examples/starter`. */
const STARTER = join(import.meta.dirname, '../starter');

/** What may be in a folder that is about to become a project: what Git, package managers, macOS and editors put there. */
const HARMLESS = [
  /^(\.git.*|LICENSE.*|README.*|.*\.tgz)$/,
  /^(package(-lock)?\.json|\.npmrc|node_modules|pnpm-(lock|workspace)\.yaml|\.pnp.*|yarn\.lock|\.yarn.*|bun\.lockb?)$/,
  /^(\.DS_Store|\.vscode|\.idea|\.editorconfig|\.nvmrc|\.node-version)$/,
];

/** Writes the starter project into a folder; throws for one that holds anything else. */
export function init([folder = '.', ...others]: readonly string[]): void {
  if (others.length > 0) throw new Error(`init takes one folder; got also ${others.join(' ')}`);
  const project = resolve(folder);
  mkdirSync(project, { recursive: true });
  const inTheWay = readdirSync(project).filter((name) => !HARMLESS.some((harmless) => harmless.test(name)));
  if (inTheWay.length > 0) throw new Error(`init expects an empty folder; ${project} has ${inTheWay.join(', ')}`);

  const manifest = manifestFor(project);
  const kept = readdirSync(STARTER)
    .filter((name) => existsSync(join(project, name)))
    .sort();
  cpSync(STARTER, project, { recursive: true, force: false, filter: (from) => !/\.template(\.json)?$/.test(from) });
  addLines(join(project, '.gitignore'), readFileSync(join(STARTER, 'gitignore.template'), 'utf8'));
  writeFileSync(join(project, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  if (kept.length > 0) console.log(`Kept as they were: ${kept.join(', ')}`);
  const [tool] = /^(pnpm|yarn|bun)/.exec(process.env['npm_config_user_agent'] ?? '') ?? ['npm'];
  console.log(`A project is in ${project}.\n\n  ${tool} install\n  ${tool} run test\n  ${tool} run synth`);
}

/** Adds to a file the lines that it lacks. */
function addLines(file: string, lines: string): void {
  const present = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const missing = lines.match(/.+\n/g)?.filter((line) => !present.split(/\r?\n/).includes(line.trimEnd())) ?? [];
  const end = present === '' || present.endsWith('\n') ? '' : '\n';
  writeFileSync(file, `${present}${end}${missing.join('')}`);
}

/** What `npm init` writes where there is no test. */
const PLACEHOLDER = /no test specified/;

/** The manifest that is there, with what it lacks of the starter's. */
function manifestFor(project: string): object {
  const starter = jsonIn(join(STARTER, 'package.template.json'));
  const file = join(project, 'package.json');
  const present = existsSync(file) ? jsonIn(file) : {};
  const name = basename(project)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '');
  const scripts = Object.entries<string>(present.scripts ?? {}).filter(([, script]) => !PLACEHOLDER.test(script));
  return {
    ...starter,
    name: name || starter.name,
    ...present,
    type: 'module',
    scripts: { ...starter.scripts, ...Object.fromEntries(scripts) },
    dependencies: { ...starter.dependencies, 'effectively-once': ownSpec(), ...present.dependencies },
    devDependencies: { ...starter.devDependencies, ...present.devDependencies },
  };
}

/** How this very package was asked for: a tarball stays a tarball. */
function ownSpec(): string {
  const home = join(import.meta.dirname, '../..');
  const around = join(home, '../..');
  const file = join(around, 'package.json');
  const spec: unknown = existsSync(file) ? jsonIn(file).dependencies?.['effectively-once'] : undefined;
  if (typeof spec === 'string' && spec.startsWith('file:'))
    return `file:${resolve(around, spec.slice('file:'.length))}`;
  return `^${jsonIn(join(home, 'package.json')).version}`;
}

function jsonIn(file: string): any {
  return JSON.parse(readFileSync(file, 'utf8'));
}
