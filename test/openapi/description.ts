import { fileURLToPath } from 'node:url';
import { createConfig, lint } from '@redocly/openapi-core';
import openapiTS, { astToString } from 'openapi-typescript';

const RULES = { extends: ['recommended-strict' as const], rules: { 'no-unused-components': 'off' as const } };
/** A fragment has no operations, and no server. */
const OF_FRAGMENTS = { 'no-empty-servers': 'off' as const };

/** What a linter finds wrong with a description. */
export async function faultsOf(description: URL, isFragment = false): Promise<string[]> {
  const rules = { ...RULES.rules, ...(isFragment && OF_FRAGMENTS) };
  const config = await createConfig({ ...RULES, rules });
  const problems = await lint({ ref: fileURLToPath(description), config });
  return problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer ?? ''}`);
}

/** Types of what it describes, for `openapi-fetch`. */
export async function typesOf(description: URL): Promise<string> {
  return astToString(await openapiTS(description));
}
