import { DOORS } from './nav.ts';

// biome-ignore lint/style/noDefaultExport: TypeDoc asks for one
export default {
  entryPoints: Object.keys(DOORS).map((module) => `../${module}`),
  plugin: ['typedoc-plugin-markdown', './typedoc-doors.ts'],
  tsconfig: '../tsconfig.json',
  out: '.pages/api',
  readme: 'none',
  entryFileName: 'index',
  outputFileStrategy: 'modules',
  disableSources: true,
  hideBreadcrumbs: true,
  hidePageHeader: true,
  excludePrivate: true,
  excludeInternal: true,
  skipErrorChecking: true, // `npm test` does
  excludeExternals: true,
  githubPages: false,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  sort: ['source-order'],
  logLevel: 'Warn',
  validation: { notExported: false, invalidLink: true },
};
