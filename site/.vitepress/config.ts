import { defineConfig } from 'vitepress';
import { DOORS, NAV } from '../nav.ts';
import { slug } from '../slug.ts';

const items = (pages: Readonly<Record<string, string>>) =>
  Object.entries(pages).map(([page, text]) => ({ text, link: page === 'index' ? '/' : `/${page}` }));

// biome-ignore lint/style/noDefaultExport: VitePress asks for one
export default defineConfig({
  title: 'effectively-once',
  description: 'Makes AWS Lambda handlers safe to retry.',
  srcDir: '.pages',
  outDir: '.built',
  cacheDir: '.cache',
  base: (process.env['DOCS_BASE'] as `/${string}/` | undefined) ?? '/',
  head: [['link', { rel: 'icon', href: 'data:,' }]], // none: a browser would ask for one
  markdown: {
    anchor: { slugify: slug },
    languageAlias: { hcl: 'terraform' },
    config(md) {
      const fence = md.renderer.rules.fence as NonNullable<typeof md.renderer.rules.fence>;
      md.renderer.rules.fence = (tokens, at, ...rest) => {
        const { info, content } = tokens[at] as (typeof tokens)[number];
        if (info.trim() !== 'mermaid') return fence(tokens, at, ...rest);
        return `<Diagram source="${encodeURIComponent(content)}" />`;
      };
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Getting started', link: '/getting-started' },
      { text: 'Recipes', link: '/recipes' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: [
      ...NAV.map(([text, pages]) => ({ text, collapsed: false, items: items(pages) })),
      {
        text: 'API',
        collapsed: true,
        items: Object.values(DOORS).map((door) => ({ text: door, link: `/api/${door}` })),
      },
    ],
  },
});
