import { startVitest } from 'vitest/node';
import { ENGINES } from './engines.ts';

/** What depends on the engine: the store contract, transactions, sizes, how many requests a path takes. */
const SUITES = [
  'test/stores/dynamodb.test.ts',
  'test/stores/large-values.test.ts',
  'test/commit.test.ts',
  'test/atomic.test.ts',
  'test/requests.test.ts',
  'test/groups.test.ts',
  'test/steps.test.ts',
];

/** Runs the suites on every engine, and sums them up as Vitest would. */
async function main(): Promise<void> {
  let passed = 0;
  let failed = 0;
  for (const { name, install, start } of ENGINES) {
    console.log(`\n-- ${name}`);
    try {
      await install();
      const engine = await start();
      process.env['DYNAMODB_ENDPOINT'] = engine.endpoint;
      const counts = await runSuites().finally(engine.stop);
      passed += counts.passed;
      failed += counts.failed;
    } catch (error) {
      console.error((error as Error).message);
      failed++;
    }
  }
  const parts = [failed && `${failed} failed`, `${passed} passed`].filter(Boolean).join(' | ');
  console.log(`\n-- all engines\n      Tests  ${parts} (${passed + failed})`);
  process.exit(failed ? 1 : 0);
}

async function runSuites(): Promise<{ passed: number; failed: number }> {
  const vitest = await startVitest('test', SUITES, { project: ['unit'], watch: false });
  try {
    const modules = vitest.state.getTestModules();
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const passed = tests.filter((test) => test.result().state === 'passed').length;
    const broken = modules.length === SUITES.length && modules.every((module) => module.ok()) ? 0 : 1;
    return { passed, failed: Math.max(tests.length - passed, broken, vitest.state.getCountOfFailedTests()) };
  } finally {
    await vitest.close();
  }
}

await main();
