import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build } from 'esbuild';

/** What a function deploys, in chunks. */
export interface Bundle {
  /** What it reads when it starts: the entry, and whatever that imports. */
  readonly loaded: readonly Chunk[];
  /** What it reads when it is first needed. */
  readonly onDemand: readonly Chunk[];
}

export interface Chunk {
  readonly file: string;
  readonly contents: Uint8Array;
  /** Bytes of each source file that is in it. */
  readonly inputs: Readonly<Record<string, number>>;
}

/** Minified, as ESM for Node.js, in chunks where `import()` asks for them. */
export async function bundled(options: BuildOptions): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    splitting: true,
    outdir: 'bundled',
    logLevel: 'error',
    ...options,
    metafile: true,
    write: false,
  });
  const chunks = Object.entries(metafile.outputs).map(([file, { inputs, imports, entryPoint }]) => ({
    file,
    isEntry: entryPoint !== undefined && !imported(metafile.outputs, file),
    imports: imports.filter(({ kind, external }) => kind === 'import-statement' && !external).map(({ path }) => path),
    contents:
      outputFiles.find(({ path }) => path === resolve(options.absWorkingDir ?? '', file))?.contents ?? new Uint8Array(),
    inputs: Object.fromEntries(Object.entries(inputs).map(([input, { bytesInOutput }]) => [input, bytesInOutput])),
  }));
  const loaded = new Set(chunks.filter(({ isEntry }) => isEntry));
  for (const { imports } of loaded) {
    for (const chunk of chunks.filter(({ file }) => imports.includes(file))) loaded.add(chunk);
  }
  return { loaded: [...loaded], onDemand: chunks.filter((chunk) => !loaded.has(chunk)) };
}

// A chunk that is loaded on demand is an entry point of its own to esbuild.
function imported(outputs: Record<string, { imports: { path: string }[] }>, file: string): boolean {
  return Object.values(outputs).some(({ imports }) => imports.some(({ path }) => path === file));
}

export function sizeOf(chunks: readonly Chunk[]): { minified: number; gzipped: number } {
  const sum = (bytes: (contents: Uint8Array) => number): number =>
    chunks.reduce((total, { contents }) => total + bytes(contents), 0);
  return {
    minified: sum((contents) => contents.length),
    gzipped: sum((contents) => gzipSync(contents, { level: 9 }).length),
  };
}
