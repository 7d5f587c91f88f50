import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const PAGE = import.meta.dirname;

/** The page as static files, and what it was made of. */
export interface BuiltPage {
  readonly files: readonly (readonly [name: string, body: Uint8Array])[];
  /** Paths below the repository. */
  readonly inputs: readonly string[];
}

export async function builtPage(): Promise<BuiltPage> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: join(PAGE, '..'),
    entryPoints: { console: join(PAGE, 'main.tsx'), style: join(PAGE, 'style.css') },
    outdir: join(PAGE, 'out'),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: ['es2023', 'chrome123', 'firefox125', 'safari17.5'],
    charset: 'utf8',
    legalComments: 'none',
    tsconfig: join(PAGE, 'tsconfig.json'),
    metafile: true,
    write: false,
  });
  const written = outputFiles.map(({ path, contents }) => [basename(path), contents] as const);
  const asTheyAre = ['index.html', 'icon.svg'].map((name) => [name, readFileSync(join(PAGE, name))] as const);
  return { files: [...written, ...asTheyAre], inputs: Object.keys(metafile.inputs) };
}
