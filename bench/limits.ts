import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { grouped, table } from './markdown.ts';

/** A figure that the source says, in a file or directly in a room. If no pattern is found any more, the page is to be looked at. */
function said(place: string, pattern: RegExp): number {
  const at = fileURLToPath(new URL(`../src/${place}`, import.meta.url));
  const files = place.endsWith('.ts') ? [at] : readdirSync(at).map((file) => join(at, file));
  const sources = files.filter((file) => file.endsWith('.ts')).map((file) => readFileSync(file, 'utf8'));
  const expression = sources.map((source) => pattern.exec(source)?.[1]).find((found) => found !== undefined);
  if (expression === undefined) throw new Error(`src/${place} does not say ${pattern} any more`);
  return expression.split('*').reduce((product, factor) => product * Number(factor.trim().replaceAll('_', '')), 1);
}

function constant(place: string, name: string): number {
  return said(place, new RegExp(`const ${name} = ([\\d_ *]+);`));
}

const size = (bytes: number): string => {
  if (bytes >= 1024 * 1024) return `${grouped(bytes / 1024 / 1024)} MB`;
  return bytes >= 1024 ? `${grouped(bytes / 1024)} KB` : `${bytes} bytes`;
};
const time = (ms: number): string => (ms >= 1_000 ? `${grouped(ms / 1_000)} s` : `${ms} ms`);

/** Limits of the library as its source says them, and those of AWS that they come from. */
export function limitsTable(): string {
  const [chunks, room, patience, begin] = ['stores', 'run/room.ts', 'core/patience.ts', 'run/begin.ts'] as const;
  const stepsRoom = constant('core/record.ts', 'ROOM_BYTES');
  const steps = Math.floor(stepsRoom / (constant(room, 'STEP_BYTES') + 16));
  const rows: [string, string, string][] = [
    [
      'a key, a scope, the name of a step',
      `${said('core/identity.ts', /key\.length > (\d+)/)} characters`,
      'refused before the claim; a step before its effect',
    ],
    [
      'an item of DynamoDB',
      '400 KB',
      `of it the outcome, or all steps, get ${size(stepsRoom)}; what is larger goes into items of ${size(constant(chunks, 'CHUNK_BYTES'))}`,
    ],
    [
      'a result',
      size(constant(chunks, 'MOST_BYTES')),
      'recorded as done without its value: duplicates get `RESULT_UNAVAILABLE`',
    ],
    ['an answer of Lambda', '6 MB; 1 MB of an asynchronous call', 'Lambda refuses it, after it is on record'],
    ['a result that is compressed', `from ${size(constant(chunks, 'PACKED_ABOVE'))}`, ''],
    [
      '… and kept apart from its record',
      `above ${size(constant(chunks, 'APART_ABOVE'))}`,
      'one request more, and read units instead of write units for its duplicates',
    ],
    [
      'the value of a step inside the record',
      `${constant(room, 'INLINE')} bytes; together ${size(constant(room, 'INLINE_TOGETHER'))}`,
      'otherwise it gets its own item',
    ],
    ['steps of a run', `about ${steps}`, 'one for which there is no room is refused before its effect'],
    [
      'writes of a commit',
      `${constant('stores/dynamodb/writes.ts', 'MOST_WRITES')}, ${size(constant('stores/dynamodb/writes.ts', 'MOST_BYTES'))}`,
      '`MISUSE`, before anything is written',
    ],
    [
      'writes that share a request',
      `${constant('stores/grouped.ts', 'MOST')}`,
      'the next ones leave in a request of their own',
    ],
    [
      'how long a write waits for the group under way',
      time(constant('stores/grouped.ts', 'LONGEST_WAIT_MS')),
      'it leaves all the same',
    ],
    ['nesting of a payload', `${constant('core/canonical.ts', 'MAX_DEPTH')} levels`, '`PAYLOAD_INVALID`'],
    [
      'the cache of a process',
      size(said('stores/dynamodb', /cache = ([\d *]+)/)),
      `for ${time(constant('stores/cache-for.ts', 'CACHE_FOR_MS'))}`,
    ],
    [
      'how long a claim is tried',
      `${time(constant(patience, 'CLAIM_MS'))}, at most a quarter of the remaining time`,
      '`STORE_UNAVAILABLE`; nothing ran',
    ],
    [
      'how long a completion is tried',
      `until ${time(constant(patience, 'RESERVE_MS'))} before the deadline`,
      'the caller gets its answer; the outcome is unknown',
    ],
    ['between two polls of a waiter', `at most ${time(constant(begin, 'LONGEST_PAUSE'))}`, ''],
  ];
  return table(['what', 'limit', 'beyond it'], rows);
}
