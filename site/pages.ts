import { cpSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NAV } from './nav.ts';

const home = import.meta.dirname;
const root = join(home, '..');
const docs = join(root, 'docs');
const pages = join(home, '.pages');

/** What stands beside docs/, and the page that it becomes. */
const BESIDE: Readonly<Record<string, string>> = {
  'README.md': 'index.md',
  'CHANGELOG.md': 'changelog.md',
  'SECURITY.md': 'security.md',
  LICENSE: 'license.md',
};

/** Writes the pages as VitePress wants them, in one folder. Throws for a page without a place in the sidebar, and the other way round. */
export function writePages(): void {
  const files = readdirSync(docs);
  const named = NAV.flatMap(([, section]) => Object.keys(section)).map((page) => `${page}.md`);
  const written = [...files.filter((file) => file.endsWith('.md')), ...Object.values(BESIDE)];
  const astray = [
    ...written
      .filter((page) => !named.includes(page) && page !== 'license.md')
      .map((page) => `${page} is not in site/nav.ts`),
    ...named.filter((page) => !written.includes(page)).map((page) => `site/nav.ts names ${page}, which does not exist`),
  ];
  if (astray.length > 0) throw new Error(astray.join('\n'));
  mkdirSync(pages, { recursive: true });
  for (const file of files.filter((name) => name.endsWith('.md'))) {
    writeFileSync(join(pages, file), inOneFolder(readFileSync(join(docs, file), 'utf8')));
  }
  for (const [file, page] of Object.entries(BESIDE)) {
    writeFileSync(join(pages, page), inOneFolder(readFileSync(join(root, file), 'utf8')));
  }
  copyMermaid(join(pages, 'public/mermaid'));
  for (const file of files.filter((name) => !name.endsWith('.md'))) cpSync(join(docs, file), join(pages, file));
}

/** Its own build: to bundle it once more takes longer than all the rest. */
function copyMermaid(to: string): void {
  const from = join(home, 'node_modules/mermaid/dist');
  for (const file of globSync('{mermaid.esm.min.mjs,chunks/mermaid.esm.min/*.mjs}', { cwd: from })) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(join(from, file), join(to, file));
  }
}

/** Links from the repository's folders become links between neighbours. */
function inOneFolder(markdown: string): string {
  return markdown.replaceAll(/(\]\()(?:\.\.\/|docs\/)?([\w-]+(?:\.\w+)?)(#[^)]*)?\)/g, (_, open, file, anchor = '') => {
    return `${open}./${BESIDE[file] ?? file}${anchor})`;
  });
}
