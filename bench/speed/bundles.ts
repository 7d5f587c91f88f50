import { fileURLToPath } from 'node:url';
import { type Bundle, bundled } from '../bundled.ts';

/** What is deployed, with the SDK in it or without. Of each kind, the first is what no library adds to. */
export const HANDLERS = {
  handler: { sdk: 'bare SDK calls', powertools: 'Powertools', ours: 'effectively-once' },
  Middy: { 'sdk-middy': 'bare SDK calls', 'powertools-middy': 'Powertools', 'ours-middy': 'effectively-once' },
} as const;

export type Sdk = 'SDK external' | 'SDK bundled';
export const SDKS = ['SDK external', 'SDK bundled'] as const;

const HERE = fileURLToPath(new URL('.', import.meta.url));
// What is bundled of CommonJS asks for it.
const BANNER = {
  js: `import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);`,
};

export function bundleOf(name: string, sdk: Sdk, outdir: string): Promise<Bundle> {
  return bundled({
    entryPoints: [`handlers/${name}.ts`],
    absWorkingDir: HERE,
    outdir,
    outExtension: { '.js': '.mjs' },
    target: 'node24',
    ...(sdk === 'SDK external' ? { external: ['@aws-sdk/*'] } : { banner: BANNER }),
  });
}
