import { inspect as valueAsText } from 'node:util';
import type { Ended, Inspection } from '../src/operator/inspect.ts';
import { at, counted, printable, sized, styled } from './terminal.ts';
import { treeOf } from './tree.ts';

/** A record for a terminal. */
export function shown(record: Inspection): string {
  const { id, state, means, attempt, version, source, claimedAt, leaseUntil, completedAt, expiresAt, bytes } = record;
  const rows: [string, string | undefined][] = [
    ['record', id],
    ['state', `${state}: ${means}`],
    ['key', part(record, 'key')],
    ['operation', part(record, 'operation')],
    ['caller', part(record, 'principal')],
    ['source', source],
    ['attempt', `${attempt}, version ${version}`],
    ['claimed', at(claimedAt)],
    ['lease until', leaseUntil === undefined ? undefined : at(leaseUntil)],
    [
      'completed',
      completedAt === undefined
        ? undefined
        : `${at(completedAt)}${record.isCommit ? ', with its writes, by a commit' : ''}`,
    ],
    ['expires', expiresAt === undefined ? 'never, until it is decided' : at(expiresAt)],
    ['size', sized(bytes)],
  ];
  const lines = rows.flatMap(([name, text]) =>
    text === undefined ? [] : `${`${name}:`.padEnd(13)}${emphasized(name, printable(text))}`,
  );
  return [
    ...lines,
    ...stepsOf(record),
    ...(record.outcome ? [`${'outcome:'.padEnd(13)}${ended(record.outcome)}`] : []),
  ].join('\n');
}

/** The state, in front of what it means. */
function emphasized(name: string, text: string): string {
  return name === 'state' ? text.replace(/^[\w-]+/, (state) => styled('bold', state)) : text;
}

function stepsOf({ steps }: Inspection): string[] {
  if (steps === undefined) return [];
  const entries = Object.entries(steps);
  if (entries.length === 0) return [`${'steps:'.padEnd(13)}none is on record`];
  return [
    `${'steps:'.padEnd(13)}${counted(entries.length)} on record`,
    ...entries.map(([name, step]) => `  ${printable(name)}: ${ended(step)}`),
  ];
}

function part({ key, cut, ...record }: Inspection, name: 'key' | 'operation' | 'principal'): string | undefined {
  if (key === undefined)
    return name === 'key' ? 'not in the record (`keepIdentity: false`, or an earlier version)' : undefined;
  const text = { ...record, key }[name];
  return cut.includes(name) ? `${text}… (cut)` : text;
}

function ended(outcome: Ended): string {
  const { codec, bytes, apart } = outcome;
  const kept = apart ? `kept apart in ${apart.items} items` : bytes === undefined ? undefined : sized(bytes);
  const how = [codec, kept].filter((one) => one !== undefined).join(', ');
  const note = how === '' ? '' : styled('dim', ` (${printable(how)})`);
  switch (outcome.kind) {
    case 'unavailable':
      return `not shown: ${printable(outcome.why)}${note}`;
    case 'error':
      return `${text(outcome.error)}${note}`;
    case 'value':
      return `${text(outcome.value)}${note}`;
  }
}

/** Its lines after the first are deeper than those of steps. */
function text(value: unknown): string {
  const lines = valueAsText(treeOf(value), { depth: 8, maxStringLength: 2_000, maxArrayLength: 100 }).split('\n');
  return lines.map(printable).join('\n    ');
}
