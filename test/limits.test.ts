import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { costSections } from '../bench/costs.ts';
import { simulationSections } from '../bench/simulation.ts';

const page = fileURLToPath(new URL('../docs/limits.md', import.meta.url));
const SECTION = /<!-- (bench\/[\w-]+\.ts): (\w+) -->\n([\s\S]*?)<!-- end -->/g;

describe('docs/limits.md', () => {
  // Another engine counts otherwise.
  it.skipIf(process.env['DYNAMODB_ENDPOINT']).each([
    ['bench/costs.ts', costSections],
    ['bench/simulation.ts', simulationSections],
  ])('shows what %s prints', async (script, sectionsOf) => {
    const sections = await sectionsOf();
    const written = readFileSync(page, 'utf8').replace(SECTION, (all, by: string, name: string) =>
      by === script ? `<!-- ${by}: ${name} -->\n\n${sections[name]}\n\n<!-- end -->` : all,
    );
    // `UPDATE_README=1 npm run unit` writes it anew.
    if (process.env['UPDATE_README']) writeFileSync(page, written);
    else expect(readFileSync(page, 'utf8')).toBe(written);
    const shown = [...written.matchAll(SECTION)].filter(([, by]) => by === script).map(([, , name]) => name);
    expect(shown.toSorted()).toEqual(Object.keys(sections).toSorted());
  });

  it('has no figure that no script prints', () => {
    const prose = readFileSync(page, 'utf8')
      .replace(SECTION, '')
      .replace(/UPDATE_README=1|`[^`]*`|\(http[^)]*\)/g, '');
    expect(prose).not.toMatch(/\d/);
  });
});
