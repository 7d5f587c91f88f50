import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Packs the checkout, and puts the tarball beside what `npm ci` has installed here; no manifest learns of it. */
export function installOurs(): void {
  const folder = mkdtempSync(join(tmpdir(), 'effectively-once-'));
  try {
    const packed = npm('pack', '--json', '--silent', '--pack-destination', folder, ROOT);
    const [{ filename }] = JSON.parse(packed.slice(packed.indexOf('[\n')));
    npm('install', '--prefix', HERE, '--no-save', '--no-package-lock', '--silent', join(folder, filename));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function npm(...args: string[]): string {
  return execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' });
}
