/** What must hold of a run: nothing is to be found. Each finding is a sentence. */
export type Checks<Evidence> = Readonly<Record<string, (evidence: Evidence) => string[]>>;

const MOST_FINDINGS = 10;

/** What holds of the evidence, in lines; the last is as Vitest writes it. `explain` adds lines to a finding. */
export function verdict<Evidence>(
  checks: Checks<Evidence>,
  evidence: Evidence,
  explain: (finding: string) => readonly string[] = () => [],
): { readonly lines: readonly string[]; readonly failed: number } {
  const results = Object.entries(checks).map(([name, check]) => ({ name, findings: check(evidence) }));
  const failed = results.filter(({ findings }) => findings.length > 0);
  const told = results.map(({ name, findings }) => `  ${findings.length === 0 ? 'ok    ' : 'FAILED'}  ${name}`);
  const findings = failed.flatMap(({ name, findings }) => [
    `\n${name}: ${findings.length} times not`,
    ...findings.slice(0, MOST_FINDINGS).flatMap((finding) => [`  ${finding}`, ...explain(finding)]),
  ]);
  const parts = [failed.length && `${failed.length} failed`, `${results.length - failed.length} passed`];
  const sum = `      Tests  ${parts.filter(Boolean).join(' | ')} (${results.length})`;
  return { lines: [...told, ...findings, '', sum], failed: failed.length };
}

/** How many there are of each. */
export function tally(values: readonly string[]): string {
  const counts = [...Map.groupBy(values, (value) => value)].sort(([a], [b]) => (a < b ? -1 : 1));
  return counts.map(([value, all]) => `${all.length} ${value}`).join(', ');
}

/** Lines of a table. */
export function summed(rows: readonly (readonly [name: string, value: string | number])[]): string[] {
  return rows.map(([name, value]) => `  ${name.padEnd(28)}${value}`);
}
