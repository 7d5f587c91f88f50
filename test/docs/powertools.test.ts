import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CHECKOUT, run } from '../../local/install.ts';

const HOME = join(CHECKOUT, 'bench/powertools');
const options = { cwd: CHECKOUT };

it('what Powertools has done is not repeated by the handler that takes its place', async () => {
  await run('npm', ['ci', '--prefix', HOME, '--no-audit', '--no-fund'], options);
  await run(process.execPath, [join(CHECKOUT, 'node_modules/typescript/bin/tsc'), '-p', HOME], options);
  const flags = ['--conditions=effectively-once-source', '--disable-warning=ExperimentalWarning'];
  const { stdout } = await run(process.execPath, [...flags, join(HOME, 'migration/main.ts')], options);
  expect(stdout).toContain('each order was charged once');
});
