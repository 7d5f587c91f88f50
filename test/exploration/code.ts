import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as memory from '../../src/stores/memory.ts';
import type { Code } from './executor.ts';
import type { Mutant } from './mutants.ts';

export type Explored = Code & { readonly store: typeof memory };

const SOURCE = fileURLToPath(new URL('../../src', import.meta.url));

/** The code that is explored: the package's own, or a copy of it with a guard taken out. */
export function codeOf(mutant: Mutant | undefined): Promise<Explored> {
  return mutant ? mutatedCode(mutant) : load(SOURCE);
}

async function mutatedCode({ name, edits }: Mutant): Promise<Explored> {
  const copy = mkdtempSync(join(tmpdir(), 'effectively-once-mutant-'));
  try {
    cpSync(SOURCE, copy, { recursive: true });
    for (const { file, find, replace } of edits) {
      const parts = readFileSync(join(copy, file), 'utf8').split(find);
      if (parts.length !== 2)
        throw new Error(`"${name}" no longer fits ${file}: what it replaces is there ${parts.length - 1} times`);
      writeFileSync(join(copy, file), parts.join(replace));
    }
    return await load(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function load(directory: string): Promise<Explored> {
  const module = (file: string) => import(pathToFileURL(join(directory, file)).href);
  const [{ runOnce }, { TerminalError, IdempotencyError }, store] = await Promise.all([
    module('run-once.ts'),
    module('core/errors.ts'),
    module('stores/memory.ts'),
  ]);
  return { runOnce, TerminalError, IdempotencyError, store };
}
