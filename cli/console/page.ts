import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

/** The files of the page by their names. */
export type PageFiles = ReadonlyMap<string, { readonly type: string; readonly body: Uint8Array<ArrayBuffer> }>;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** In the package they lie beside the command; in a checkout they are built when the console starts. */
export async function pageFiles(): Promise<PageFiles> {
  const packed = join(import.meta.dirname, '../console');
  if (existsSync(join(packed, 'index.html'))) {
    const names = readdirSync(packed).filter((name) => extname(name) in TYPES);
    return typed(names.map((name) => [name, readFileSync(join(packed, name))]));
  }
  // By its address, so that no bundle of the command takes it in.
  const builder = new URL('../../console/build.ts', import.meta.url).href;
  const { builtPage }: typeof import('../../console/build.ts') = await import(builder);
  return typed((await builtPage()).files);
}

function typed(files: readonly (readonly [name: string, body: Uint8Array])[]): PageFiles {
  return new Map(files.map(([name, body]) => [name, { type: TYPES[extname(name)] ?? '', body: new Uint8Array(body) }]));
}
