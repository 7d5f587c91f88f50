import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

/** A project that builds as it is. In the repository it is `examples/starter`. */
const STARTER = join(import.meta.dirname, '../starter');

/** What may be in a folder that is about to become a project. */
const HARMLESS =
  /^(\.git.*|\.npmrc|node_modules|package(-lock)?\.json|pnpm-lock\.yaml|\.pnpm-store|LICENSE.*|README.*|.*\.tgz)$/;

/** Writes the starter project into a folder; throws for one that holds anything else. */
export function init([folder = '.', ...others]: readonly string[]): void {
  if (others.length > 0) throw new Error(`init takes one folder; got also ${others.join(' ')}`);
  const project = resolve(folder);
  mkdirSync(project, { recursive: true });
  const inTheWay = readdirSync(project).filter((name) => !HARMLESS.test(name));
  if (inTheWay.length > 0) throw new Error(`init expects an empty folder; ${project} has ${inTheWay.join(', ')}`);

  const manifest = manifestFor(project);
  cpSync(STARTER, project, { recursive: true, filter: (_, to) => !/README\.md$/.test(to) || !existsSync(to) });
  rmSync(join(project, 'package.template.json'));
  renameSync(join(project, 'gitignore.template'), join(project, '.gitignore'));
  writeFileSync(join(project, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const [tool] = /^(pnpm|yarn|bun)/.exec(process.env['npm_config_user_agent'] ?? '') ?? ['npm'];
  console.log(`A project is in ${project}.\n\n  ${tool} install\n  ${tool} run test\n  ${tool} run synth`);
}

/** The manifest of the starter, with the name of the folder and what its own manifest has already. */
function manifestFor(project: string): object {
  const starter = jsonIn(join(STARTER, 'package.template.json'));
  const file = join(project, 'package.json');
  const present = existsSync(file) ? jsonIn(file) : {};
  const name = basename(project)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '');
  return {
    ...starter,
    name: present.name ?? (name || starter.name),
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
