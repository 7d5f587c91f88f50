import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * Bundles the command with all that it needs, so that who only imports the package installs none of that. The client of DynamoDB stays outside: the
 * package has it as a peer dependency.
 */
export async function buildCommand(root: string, outdir: string): Promise<void> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['cli/index.ts'],
    outdir,
    bundle: true,
    minify: true,
    keepNames: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.15',
    external: ['@aws-sdk/client-dynamodb', '@aws-sdk/lib-dynamodb'],
    // Some of what is bundled is CommonJS, and asks for Node's modules by it.
    banner: { js: "import { createRequire as __req } from 'node:module'; const require = __req(import.meta.url);" },
    metafile: true,
    logLevel: 'warning',
  });
  writeFileSync(join(outdir, 'THIRD-PARTY.txt'), notices(root, Object.keys(metafile.inputs)));
}

/** The licences of what is bundled, as each of them asks. */
export function notices(root: string, inputs: readonly string[]): string {
  const folders = new Set(inputs.flatMap((file) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  const byText = new Map<string, string[]>();
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const [file] = globSync('LICEN[CS]E*', { cwd: join(root, folder) });
    const text =
      file && existsSync(join(root, folder, file)) ? readFileSync(join(root, folder, file), 'utf8') : license;
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const parts = [...byText].map(([text, names]) => `${names.join('\n')}\n\n${text.trim()}\n`);
  return `This is bundled with the following packages.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}
