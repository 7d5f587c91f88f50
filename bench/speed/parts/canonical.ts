import { createHash } from 'node:crypto';
import { freshKey } from '../../events.ts';
import { CLIENTS } from '../clients.ts';
import type { Options } from '../part.ts';
import { interleaved, type Subject } from '../rounds.ts';
import { comparison, type Samples, type Table } from '../table.ts';
import { ours, validating } from '../ways/index.ts';
import { setting, type Way } from '../ways/way.ts';

const KB = 1_024;

/**
 * What a first run pays for the body of its request, as JSON by RFC 8785: by size and by depth. Beside it what must be paid at
 * least, and the peer, to which the body is a text.
 */
export async function* measure({ rounds }: Options): AsyncGenerator<Table> {
  const several = Math.ceil(rounds / 2);
  const bySize = [1, 100, 1_024, 6_000].map((size) => ({ group: `${size} KB`, body: orders(size * KB) }));
  const shapes = Object.entries(SHAPES).map(([group, shape]) => ({ group, body: shape(256 * KB) }));
  const byDepth = [1, 10, 100, 250].map((depth) => ({ group: `${depth} deep`, body: nested(depth, 256 * KB) }));
  yield comparison('First run by size of its body', NS, await perByte(bySize, several));
  yield comparison('First run by shape of its body, 256 KB', NS, await perByte(shapes, several));
  yield comparison('First run by depth of its body, 256 KB', NS, await perByte(byDepth, several));
}

const NS = 'ns of CPU a byte';

interface Sample {
  readonly group: string;
  readonly body: string;
}

async function perByte(bodies: readonly Sample[], rounds: number): Promise<Samples[]> {
  const subjects = bodies.flatMap(({ group, body }): Subject[] => {
    const times = Math.max(1, Math.floor(500_000 / body.length));
    const least = async (): Promise<void> => {
      JSON.parse(body);
      createHash('sha256').update(body).digest();
    };
    return [
      { group, name: 'JSON.parse and SHA-256', times, go: least },
      { group, name: validating.name, times, go: running(validating, body) },
      { group, name: ours.name, times, go: running(ours, body) },
    ];
  });
  const { cpu } = await interleaved(subjects, rounds);
  const bytes = new Map(bodies.map(({ group, body }) => [group, body.length]));
  return cpu.map(({ samples, ...one }) => {
    const length = bytes.get(one.group) ?? Number.NaN;
    return { ...one, samples: samples.map((us) => (us * 1_000) / length) };
  });
}

function running({ doors }: Way, body: string): () => Promise<unknown> {
  const run = doors.handler?.(setting(CLIENTS.silent(), { body }));
  return async () => run?.(freshKey());
}

function orders(bytes: number): string {
  return list('{"sku":"book-1","quantity":2,"price":{"amount":1999,"currency":"EUR"}}', bytes);
}

function list(unit: string, bytes: number): string {
  return `[${Array(Math.floor(bytes / (unit.length + 1)))
    .fill(unit)
    .join()}]`;
}

function nested(depth: number, bytes: number): string {
  return '['.repeat(depth - 1) + list('{"a":1}', bytes) + ']'.repeat(depth - 1);
}

const SHAPES: Record<string, (bytes: number) => string> = {
  'lines of an order': orders,
  'one text': (bytes) => JSON.stringify({ text: 'x'.repeat(bytes) }),
  'one text of escapes': (bytes) => JSON.stringify({ text: '\n'.repeat(bytes / 2) }),
  numbers: (bytes) => list('1.2345678', bytes),
  'members in order': (bytes) => members(bytes, (index) => index),
  'members out of order': (bytes) => members(bytes, (index, of) => of - index),
};

function members(bytes: number, name: (index: number, of: number) => number): string {
  const of = Math.floor(bytes / 12);
  return `{${Array.from({ length: of }, (_, index) => `"k${name(index, of)}":1`).join()}}`;
}
