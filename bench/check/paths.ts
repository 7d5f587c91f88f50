import { measurePaths, told } from '../paths.ts';
import type { Count } from './count.ts';

/** What each path asks of DynamoDB, on the embedded engine. */
export async function paths(): Promise<readonly Count[]> {
  const all = await measurePaths();
  return all.flatMap(({ name, kinds, requests, writeUnits, readUnits }) => [
    { of: name, what: 'requests', count: requests, note: told(kinds) },
    { of: name, what: 'writeUnits', count: writeUnits },
    { of: name, what: 'readUnits', count: readUnits },
  ]);
}
