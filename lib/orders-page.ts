import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const PAGE = join(import.meta.dirname, '../examples/orders/page');

/** The page of the example shop in one file: its style and its script, the package's client among it, stand inside. */
export function ordersPage(): string {
  const { outputFiles } = buildSync({
    entryPoints: [join(PAGE, 'main.ts')],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    conditions: ['effectively-once-source'],
    write: false,
  });
  const [script] = outputFiles;
  // As functions, since `$` has a meaning in a replacement.
  return readFileSync(join(PAGE, 'index.html'), 'utf8')
    .replace(/<script[^>]*><\/script>/, () => `<script type="module">\n${script?.text}</script>`)
    .replace(/<link rel="stylesheet"[^>]*>/, () => `<style>\n${readFileSync(join(PAGE, 'style.css'), 'utf8')}</style>`);
}

if (import.meta.main) writeFileSync(process.argv[2] ?? 'page.html', ordersPage());
