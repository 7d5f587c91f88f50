import { build } from 'esbuild';

await build({
  entryPoints: { 'charge/index': 'src/charge.ts', 'orders/index': 'src/orders.ts' },
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minify: true,
  keepNames: true, // in logs, and of errors that are named after their class
  banner: {
    // The AWS SDK has parts in CommonJS, which ask for `require`.
    js: "import { createRequire as effectivelyOnceRequire } from 'node:module'; globalThis.require ??= effectivelyOnceRequire(import.meta.url);",
  },
});
