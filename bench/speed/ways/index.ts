import { bare, bareGroups } from './bare.ts';
import { oneByOne, ours } from './ours.ts';
import { powertools, validating } from './powertools.ts';
import type { Way } from './way.ts';

/** What is compared, the base first. */
export const WAYS: readonly Way[] = [bare, bareGroups, powertools, validating, ours, oneByOne];

export { bare, ours, powertools, validating };
