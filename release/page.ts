import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtPage } from '../console/build.ts';
import { notices } from './command.ts';

/** Writes the page of the console as static files. */
export async function buildPage(root: string, outdir: string): Promise<void> {
  const { files, inputs } = await builtPage();
  mkdirSync(outdir, { recursive: true });
  for (const [name, body] of files) writeFileSync(join(outdir, name), body);
  writeFileSync(join(outdir, 'THIRD-PARTY.txt'), notices(root, inputs));
}
