// Checks that what stands here can be released, and leaves the tarball that is to be published.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const run = (command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
const jsonIn = (file: string): any => JSON.parse(readFileSync(join(root, file), 'utf8'));

const manifest = jsonIn('package.json');
const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
const [, heading = ''] = /^## (.+)$/m.exec(changelog) ?? [];

/** What must be true, and what is said if it is not. */
const CHECKS: readonly (readonly [isTrue: () => boolean, message: string])[] = [
  [() => run('git', 'status', '--porcelain') === '', 'the work tree has changes that are not committed'],
  [() => jsonIn('package-lock.json').version === manifest.version, 'package-lock.json has another version'],
  [
    () => heading.startsWith(`${manifest.version}, `) && /, \d{4}-\d{2}-\d{2}$/.test(heading),
    `CHANGELOG.md begins with "${heading}"; expected "${manifest.version}, " and the day of the release`,
  ],
  [() => run('git', 'tag', '--list', `v${manifest.version}`) === '', `the tag v${manifest.version} exists`],
  [() => manifest.publishConfig?.provenance === true, '`publishConfig.provenance` must be true'],
  [() => manifest.publishConfig?.access === 'public', '`publishConfig.access` must be public'],
  [
    () => typeof manifest.repository?.url === 'string',
    '`repository.url` is missing: provenance is refused without the repository that builds the package',
  ],
];

const faults = CHECKS.flatMap(([isTrue, message]) => (isTrue() ? [] : [message]));
if (faults.length === 0) faults.push(...faultsOfTarball());
for (const fault of faults) console.error(`✗ ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;

function faultsOfTarball(): string[] {
  const [packed] = JSON.parse(run('npm', 'pack', '--json', '--silent'));
  const files: readonly string[] = packed.files.map(({ path }: { path: string }) => path);
  const astray = files.filter(
    (file) => !/^((dist|docs|openapi)\/|(CHANGELOG|README|SECURITY)\.md$|LICENSE$|package\.json$)/.test(file),
  );
  if (astray.length > 0) return [`${packed.filename} holds ${astray.join(', ')}`];
  console.log(`✓ ${packed.filename}: ${files.length} files, ${packed.size} bytes, ${packed.integrity}
Publish just that, in CI with an identity token: npm publish ${packed.filename} --provenance
Then tag it: git tag v${manifest.version}`);
  return [];
}
