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
          exclude: [
            '**/node_modules/**',
            ...['cdk', 'package', 'e2e', 'browser', 'operate', 'docs'].map((tier) => `test/${tier}`),
          ],
          globalSetup: ['test/engine.ts', 'test/cdk/assemblies.ts'],
          // They wait for an engine and for timers as much as they work: three share two cores well.
          maxWorkers: 3,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          name: 'constructs',
          include: ['test/cdk/*.test.ts'],
          globalSetup: 'test/cdk/assemblies.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          name: 'browser',
          include: ['test/browser/*.test.ts'],
          globalSetup: 'test/engine.ts',
          // They wait for a browser, a queue and processes; a picture of a 4K screen takes long without a graphics card.
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/*.test.ts'],
          globalSetup: 'test/e2e/setup.ts',
          // They wait for a cloud, most of the time.
          maxWorkers: 5,
          testTimeout: 240_000,
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          name: 'operate',
          include: ['test/operate/*.test.ts'],
          globalSetup: 'test/engine.ts',
          // They wait for processes, which take the cores.
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          name: 'docs',
          include: ['test/docs/*.test.ts'],
          globalSetup: 'test/docs/setup.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'package',
          include: ['test/package/*.test.ts'],
          globalSetup: 'test/package/setup.ts',
          // They wait for installers and compilers, which take the cores.
          maxWorkers: 3,
          testTimeout: 240_000,
        },
      },
    ],
  },
});
