import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('a signal that only a Request holds still ends a call, whatever is collected meanwhile', () => {
  const args = ['--expose-gc', '--conditions=effectively-once-source', '--disable-warning=ExperimentalWarning'];
  const script = fileURLToPath(new URL('collected.ts', import.meta.url));
  const findings: Record<string, string> = JSON.parse(
    execFileSync(process.execPath, [...args, script], { encoding: 'utf8' }),
  );
  expect(Object.keys(findings)).toHaveLength(20);
  for (const [what, end] of Object.entries(findings)) {
    expect(`${what}: ${end}`).toBe(`${what}: ${what.startsWith('timeout') ? 'no answer within 60 ms' : 'aborted'}`);
  }
});
