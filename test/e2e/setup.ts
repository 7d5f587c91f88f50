import type { TestProject } from 'vitest/node';
import { type Cloud, startCloud } from '../../local/cloud.ts';

declare module 'vitest' {
  interface ProvidedContext {
    cloud: Pick<Cloud, 'endpoint' | 'outputs'>;
  }
}

/** One cloud for all test files, with both stacks in it. */
// biome-ignore lint/style/noDefaultExport: Vitest asks for one
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  console.log('Deploying into a local AWS …');
  const { endpoint, outputs, stop } = await startCloud({ app: 'node test/e2e/app.ts' });
  project.provide('cloud', { endpoint, outputs });
  return stop;
}
