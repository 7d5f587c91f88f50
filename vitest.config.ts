import { defineConfig } from 'vitest/config';

const resolve = { conditions: ['effectively-once-source'] };

// biome-ignore lint/style/noDefaultExport: Vitest asks for one
export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr: { resolve },
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/package'],
          globalSetup: 'test/engine.ts',
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      { test: { name: 'package', include: ['test/package/*.test.ts'], testTimeout: 120_000 } },
    ],
  },
});
