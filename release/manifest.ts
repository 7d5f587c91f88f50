// `--clean` makes package.json what is published, `--restore` what it was: npm packs the file that it finds.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const file = join(import.meta.dirname, '../package.json');
const kept = join(import.meta.dirname, '../.package.json');

if (existsSync(kept)) renameSync(kept, file); // also after a pack that was interrupted
if (process.argv.includes('--clean')) {
  const original = readFileSync(file, 'utf8');
  writeFileSync(kept, original);
  writeFileSync(file, `${JSON.stringify(published(JSON.parse(original)), null, 2)}\n`);
}

/** Without what only works in the repository: scripts, what they need, and the condition that leads to the sources. */
function published({ scripts, devDependencies, workspaces, ...manifest }: Record<string, any>): object {
  const withoutSources = ([path, target]: [string, any]) => {
    if (typeof target === 'string') return [path, target];
    const { 'effectively-once-source': _, ...conditions } = target;
    return [path, conditions];
  };
  return { ...manifest, exports: Object.fromEntries(Object.entries(manifest['exports']).map(withoutSources)) };
}
