import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { root, run } from './project.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the packed tarball. */
    tarball: string;
    packed: readonly string[];
    /** Where projects are made. */
    projects: string;
  }
}

/** Packs once for all test files. */
// biome-ignore lint/style/noDefaultExport: Vitest asks for one
export default function setup(project: TestProject): () => void {
  const projects = mkdtempSync(join(tmpdir(), 'effectively-once-'));
  const [packed] = JSON.parse(run(root, 'npm', 'pack', '--json', '--silent', '--pack-destination', projects));
  project.provide('tarball', join(projects, packed.filename));
  project.provide(
    'packed',
    packed.files.map(({ path }: { path: string }) => path),
  );
  project.provide('projects', projects);
  return () => rmSync(projects, { recursive: true, force: true });
}
