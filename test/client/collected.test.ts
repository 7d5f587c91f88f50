import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';

const findings: Record<string, string> = {};
beforeAll(() => {
  const args = ['--expose-gc', '--conditions=effectively-once-source', '--disable-warning=ExperimentalWarning'];
  const script = fileURLToPath(new URL('collected.ts', import.meta.url));
  Object.assign(findings, JSON.parse(execFileSync(process.execPath, [...args, script], { encoding: 'utf8' })));
});

it('a signal that only a Request holds still ends a call, whatever is collected meanwhile', () => {
  const ends = Object.entries(findings).filter(([what]) => /abort|timeout/.test(what));
  expect(ends).toHaveLength(20);
  for (const [what, end] of ends) {
    expect(`${what}: ${end}`).toBe(`${what}: ${what.startsWith('timeout') ? 'no answer within 60 ms' : 'aborted'}`);
  }
});

it('a signal that lives on holds no answer, and hears of none that is gone', () => {
  expect(Number(findings['answers that are kept'])).toBeLessThan(5);
  expect(Number(findings['listeners that are kept'])).toBeLessThan(5);
});
