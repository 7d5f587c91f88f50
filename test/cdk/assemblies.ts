import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where CDK puts what tests synthesize. */
    assemblies: string;
  }
}

/** One directory for what all test files synthesize. */
// biome-ignore lint/style/noDefaultExport: Vitest asks for one
export default function setup(project: TestProject): () => void {
  const assemblies = mkdtempSync(join(tmpdir(), 'effectively-once-cdk-'));
  const remove = (): void => rmSync(assemblies, { recursive: true, force: true });
  process.once('exit', remove); // a run that is interrupted tears nothing down
  project.provide('assemblies', assemblies);
  return () => {
    process.off('exit', remove);
    remove();
  };
}

/** A CDK app that bundles nothing, and leaves nothing behind. */
export function testApp(): App {
  const outdir = mkdtempSync(join(inject('assemblies'), 'app-'));
  return new App({ outdir, context: { 'aws:cdk:bundling-stacks': [] } });
}
