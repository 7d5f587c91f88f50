import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** What would be loaded when a page is shown: everything but the `href` of an anchor, which waits for a click. */
const LOADED = /<(?:script|img|source|iframe|link)\b[^>]*?\s(?:src|href)="([^"]*)"/g;
const LINKS = /<a\b[^>]*?\shref="([^"]*)"/g;
const IDS = /\sid="([^"]*)"/g;

/** What is wrong with a built site: links and anchors that lead nowhere, and files that come from elsewhere. */
export function faultsOf(built: string): string[] {
  const pages = globSync('**/*.html', { cwd: built });
  const texts = new Map(pages.map((page) => [join(built, page), readFileSync(join(built, page), 'utf8')]));
  const ids = new Map([...texts].map(([page, text]) => [page, new Set(matches(text, IDS))]));
  const faults = [...texts].flatMap(([page, text]) => {
    const of = (what: string) => `${relative(built, page)}: ${what}`;
    const dead = matches(text, LINKS).filter((link) => isOurs(link) && !leads(built, page, link, ids));
    const foreign = matches(text, LOADED).filter((source) => !isOurs(source) && !source.startsWith('data:'));
    return [
      ...dead.map((link) => of(`${link} leads nowhere`)),
      ...foreign.map((url) => of(`${url} is loaded from elsewhere`)),
    ];
  });
  const styles = globSync('**/*.css', { cwd: built });
  const foreign = styles.filter((file) => /url\(["']?(?:https?:)?\/\//.test(readFileSync(join(built, file), 'utf8')));
  return [...faults, ...foreign.map((file) => `${file} loads from elsewhere`)];
}

const matches = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found = '']) => found);

const isOurs = (link: string): boolean => !/^(?:[a-z]+:|\/\/)/.test(link);

function leads(built: string, page: string, link: string, ids: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const [path = '', anchor = ''] = link.split('#', 2).map(decodeURIComponent);
  const target = path === '' ? page : path.startsWith('/') ? join(built, path) : join(dirname(page), path);
  const candidates = [target, join(target, 'index.html'), `${target}.html`];
  const known = candidates.find((file) => ids.has(file));
  if (known === undefined) return existsSync(target) && !target.endsWith('/');
  return anchor === '' || (ids.get(known)?.has(anchor) ?? false);
}
