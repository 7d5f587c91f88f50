import { defineConfig } from 'vitest/config';

// biome-ignore lint/style/noDefaultExport: Vitest asks for one
export default defineConfig({
  resolve: { conditions: ['effectively-once-source'] },
  ssr: { resolve: { conditions: ['effectively-once-source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/engine.ts',
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
