import * as nodejs from 'aws-cdk-lib/aws-lambda-nodejs';

// CommonJS in an ESM bundle asks for `require`. A global can be shadowed, so a handler or a banner may declare one of its own;
// and no dependency imports `createRequire` by this name.
const REQUIRE =
  "import { createRequire as effectivelyOnceRequire } from 'node:module'; globalThis.require ??= effectivelyOnceRequire(import.meta.url);";

/** What only a prop of `bundling` may say: as arguments they go past what is computed here. */
const PROPS_OF: Readonly<Record<string, string>> = {
  '--format': '`bundling.format`',
  '--banner': '`bundling.banner`',
  '--banner:js': '`bundling.banner`',
  '--platform': 'none: it is node',
  '--outfile': 'none: Lambda looks for index.mjs or index.js',
  '--outdir': 'none: Lambda looks for index.mjs or index.js',
  '--splitting': 'none: Lambda is given one file',
};

const PACKAGE = 'effectively-once';

/**
 * The bundling of an idempotent function: what a user asks for, with what it needs to load in Lambda. Throws for what would deploy
 * a function that cannot load. `isElsewhere`: what is not bundled comes from a layer.
 */
export function bundlingOf(given: nodejs.BundlingOptions = {}, isElsewhere = false): nodejs.BundlingOptions {
  const { format = nodejs.OutputFormat.ESM, banner, esbuildArgs = {}, externalModules = [], nodeModules = [] } = given;
  const args = argumentsOf(esbuildArgs);
  for (const arg of args) {
    const instead = PROPS_OF[arg.replace(/=.*/s, '')];
    if (instead) throw new Error(`\`bundling.esbuildArgs\` has ${arg}; expected ${instead}`);
  }
  if (banner && /import\s*\{[^}]*\bcreateRequire\b(?!\s+as\b)/.test(banner)) {
    throw new Error(
      '`bundling.banner` imports createRequire; expected a banner without it: `require` is there, and a dependency that imports it would clash',
    );
  }
  const leftOut = args.flatMap((arg) => /^--external[:=](.*)$/.exec(arg)?.[1] ?? []);
  const isOut = [...externalModules, ...leftOut].some(isPackage) || args.includes('--packages=external');
  if (isOut && !nodeModules.includes(PACKAGE) && !isElsewhere) {
    throw new Error(
      `\`bundling\` leaves ${PACKAGE} out; expected it in the bundle, in \`bundling.nodeModules\` or in one of \`layers\``,
    );
  }
  const banners = format === nodejs.OutputFormat.ESM ? [REQUIRE, banner] : [banner];
  return {
    // The SDK that was tested with, not the one Lambda happens to have. It is most of the bundle, and minified less than half as large.
    bundleAwsSDK: true,
    minify: true,
    keepNames: true, // in logs, and of errors that are named after their class
    ...given,
    format,
    banner: banners.filter(Boolean).join(' ') || undefined,
  };
}

/** As CDK passes them to esbuild. */
function argumentsOf(esbuildArgs: NonNullable<nodejs.BundlingOptions['esbuildArgs']>): string[] {
  return Object.entries(esbuildArgs).flatMap(([name, value]) => {
    if (Array.isArray(value)) return value.map((item) => `${name}:${item}`);
    if (value === true || value === '') return [name];
    return value ? [`${name}=${value}`] : [];
  });
}

/** Whether a pattern matches the package or one of its subpaths: `effectively-once`, `effectively-once/*` or `*`. */
function isPackage(pattern: string): boolean {
  const [start = '', end] = pattern.split('*', 2);
  if (start === PACKAGE || start.startsWith(`${PACKAGE}/`)) return true;
  return end !== undefined && PACKAGE.startsWith(start) && PACKAGE.endsWith(end);
}
