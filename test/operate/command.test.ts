import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { recordId } from 'effectively-once/operator';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { toItem } from '../../src/stores/dynamodb/item.ts';
import { engineClient } from '../engine.ts';
import { claimed } from '../stores/contract.ts';
import { command, itemsIn, newTable, on, run } from './world.ts';

const id = (key: string): string => recordId({ scope: 'charge', key });
const client = engineClient();
const put = (TableName: string, Item: any) => client.send(new PutItemCommand({ TableName, Item }));
const oneSentence = (text: string): boolean => text.trim().split('\n').length === 1;

describe('after real crashes', () => {
  let table: string;
  let cli: ReturnType<typeof on>;
  beforeAll(async () => {
    table = await newTable();
    cli = on(table);
    await run({ table, key: 'order-1', end: 'return' });
    await run({ table, key: 'order-2', end: 'hang', onUnknown: 'refuse' });
    await run({ table, key: 'order-3', end: 'hang' });
    await run({ table, key: 'order-4', end: 'hang', lease: '900s' });
    await run({ table, key: 'order-5', end: 'decline' });
    await run({ table, key: 'order-6', end: 'fail' });
    await run({ table, key: 'order-7', end: 'hang', caller: 'alice', onUnknown: 'refuse' });
  });

  it('stuck lists what was lost, and nothing else, and says what that took', async () => {
    const { code, out, err } = await cli('stuck');
    expect(code).toBe(0);
    expect(out.split('\n').filter((line) => /^(stuck|in-doubt)/.test(line))).toHaveLength(3);
    for (const part of ['STATE', 'order-2', 'order-3', 'order-7', 'POST /orders', 'alice', id('order-2')])
      expect(out).toContain(part);
    for (const key of ['order-1', 'order-4', 'order-5', 'order-6']) expect(out).not.toContain(key);
    expect(err).toMatch(/7 items looked at, [\d.]+ read units\./);
  });

  it.each([
    [['--state', 'completed'], ['order-1']],
    [
      ['--state', 'in-progress,failed'],
      ['order-4', 'order-5'],
    ],
    [['--scope', 'orders'], ['order-7']],
    [['--operation', 'POST /orders'], ['order-7']],
    [['--principal', 'alice'], ['order-7']],
    [['--key', 'order-6'], ['order-6']],
    [['--no-operation', '--no-principal', '--key', 'order-6', '--scope', 'charge'], ['order-6']],
    [['--older-than', '1h'], []],
    [['--no-principal', '--state', 'in-doubt'], ['order-2']],
  ])('list %j finds %j', async (options, keys) => {
    const { code, out } = await cli('list', '--json', ...options);
    const found =
      out.trim() === ''
        ? []
        : out
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line).key);
    expect({ code, found: found.sort() }).toEqual({ code: 0, found: keys });
  });

  it('list goes on where it was left', async () => {
    const found: string[] = [];
    let from: string[] = [];
    for (let pages = 0; pages < 10; pages++) {
      const { out, err } = await cli('list', '--json', '--limit', '3', ...from);
      found.push(
        ...out
          .trim()
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line).key),
      );
      const [, token] = /--from (\S+)/.exec(err) ?? [];
      if (token === undefined) break;
      from = ['--from', token];
    }
    expect(found.sort()).toEqual([1, 2, 3, 4, 5, 6, 7].map((n) => `order-${n}`));
  });

  it('show says all that is known of a record, by its id, its instance and its identity', async () => {
    const byId = await cli('show', id('order-2'));
    expect(byId.out).toMatch(/^state: +in-doubt: its run was lost, nobody knows what it did/m);
    expect(byId.out).toMatch(/^steps: +1 on record\n {2}charge: \{ chargeId: 'ch_order-2' \} \(json, 25 B\)$/m);
    const instance = `urn:effectively-once:record:${encodeURIComponent(id('order-2'))}`;
    expect((await cli('show', instance)).out).toContain("chargeId: 'ch_order-2'");
    const named = ['--scope', 'orders', '--operation', 'POST /orders', '--principal', 'alice', '--key', 'order-7'];
    expect((await cli('show', ...named)).out).toMatch(/^caller: +alice$/m);
    const { out } = await cli('show', '--json', id('order-5'));
    const outcome = { kind: 'error', error: { name: 'TerminalError', message: 'the card was declined' } };
    expect(JSON.parse(out)).toMatchObject({ state: 'failed', outcome, attempt: 1 });
  });

  it('stats counts by scope, state and age, and says what that took', async () => {
    const { code, out } = await cli('stats', '--json');
    const { groups, readUnits } = JSON.parse(out);
    expect(code).toBe(0);
    expect(readUnits).toBeGreaterThan(0);
    expect(groups).toHaveLength(7);
    expect(groups[0]).toMatchObject({ scope: 'charge', records: 1, ages: { 'under 1 h': 1, older: 0 } });
    const text = await cli('stats');
    expect(text.out).toMatch(/^SCOPE +STATE +RECORDS +UNDER 1 H/m);
    expect(text.out).toMatch(/^orders +in-doubt +1 +1 +0 +0 +0 .* B +\d+ B$/m);
  });

  it('nothing is asked, and nothing written, without a terminal or --yes', async () => {
    const before = await itemsIn(table);
    for (const args of [
      ['resolve', id('order-2'), '--rerun'],
      ['forget', id('order-1')],
    ]) {
      const { code, err } = await cli(...args);
      expect(code).toBe(7);
      expect(err).toContain('nothing was written: there is no terminal to ask at, so give --yes');
    }
    expect(await itemsIn(table)).toEqual(before);
  });

  it('what is in the way is said: a live lease, an unknown outcome, an outcome that is known, an id that is not there', async () => {
    const before = await itemsIn(table);
    const refused = [
      [['forget', id('order-4'), '--yes'], 4, 'a run holds the key until'],
      [['forget', id('order-2'), '--yes'], 4, '`resolve` decides that'],
      [['resolve', id('order-1'), '--rerun', '--yes'], 4, 'there is no unknown outcome to resolve'],
      [['show', 'charge#nothing'], 3, 'there is no record "charge#nothing"'],
      [['resolve', 'charge#nothing', '--rerun', '--yes'], 3, 'there is no record "charge#nothing"'],
      [['forget', 'charge#nothing', '--yes'], 3, 'there is no record "charge#nothing"'],
    ] as const;
    for (const [args, code, message] of refused) {
      const said = await cli(...args);
      expect(said).toMatchObject({ code, err: expect.stringContaining(message), out: '' });
    }
    expect(await itemsIn(table)).toEqual(before);
  });
});

describe('decisions', () => {
  it('a stuck payment is resolved with its value, and the retry gets it', async () => {
    const table = await newTable();
    const cli = on(table);
    await run({ table, key: 'order-8', end: 'hang', onUnknown: 'refuse' });
    const retry = () => run({ table, key: 'order-8', end: 'return', onUnknown: 'refuse' });
    expect(await retry()).toContain('IdempotencyOutcomeUnknown');
    const { code, out, err } = await cli('resolve', id('order-8'), '--yes', '--value', '{"chargeId":"by hand"}');
    expect({ code, out }).toEqual({ code: 0, out: 'Resolved: duplicates get this value, and nothing runs again.\n' });
    expect(err).toContain("chargeId: 'ch_order-8'"); // shown before
    expect(await retry()).toBe('{"chargeId":"by hand"}');
  });

  it('or it runs again; and what is done is forgotten, and runs again', async () => {
    const table = await newTable();
    const cli = on(table);
    await run({ table, key: 'order-9', end: 'hang', onUnknown: 'refuse' });
    expect((await cli('resolve', id('order-9'), '--rerun', '--yes', '--json')).out).toBe(
      `${JSON.stringify({ id: id('order-9'), done: 'resolved', to: 'rerun' })}\n`,
    );
    expect(await run({ table, key: 'order-9', end: 'return' })).toContain('ch_order-9');
    const { code, out } = await cli('forget', id('order-9'), '--yes');
    expect(code).toBe(0);
    expect(out).toContain('Functions that have its outcome in memory may answer with it for 1 min more');
    expect(await run({ table, key: 'order-9', end: 'decline' })).toContain('the card was declined');
    const { attempt } = JSON.parse((await cli('show', id('order-9'), '--json')).out);
    expect(attempt).toBe(3);
  });
});

describe('what is given', () => {
  it.each<[string, readonly string[], string]>([
    ['an unknown command', ['lost'], "unknown command 'lost'"],
    ['an unknown option', ['list', '--stat', 'x'], "unknown option '--stat'"],
    ['no table', ['list'], 'no table: give --table, or set IDEMPOTENCY_TABLE'],
    ['two ids', ['show', 'a', 'b', '--table', 'ttt'], 'too many arguments'],
    ['an id and a key', ['show', 'a', '--key', 'k', '--table', 'ttt'], 'and not both'],
    ['no record', ['show', '--table', 'ttt'], 'name a record'],
    ['no verdict', ['resolve', 'a', '--table', 'ttt'], 'give one of --rerun, --value and --value-file'],
    ['two verdicts', ['resolve', 'a', '--rerun', '--value', '1', '--table', 'ttt'], 'give one of'],
    ['a value that is no JSON', ['resolve', 'a', '--value', 'charged', '--table', 'ttt'], 'the value is no JSON'],
    [
      'a limit that is none',
      ['list', '--limit', '0', '--table', 'ttt'],
      '--limit is 0; expected a whole number above 0',
    ],
    ['an empty id', ['show', '', '--table', 'ttt'], 'the id of a record has 1 to 2,048 bytes; got 0'],
    ['an instance without an id', ['forget', 'urn:effectively-once:record:', '--table', 'ttt'], 'got 0'],
    ['an id that is too long', ['resolve', 'é'.repeat(1_025), '--rerun', '--table', 'ttt'], 'got 2,050'],
    ['an instance that was cut', ['show', 'urn:effectively-once:record:a%2', '--table', 'ttt'], 'is no instance'],
    ['an endpoint without a scheme', ['list', '--table', 'ttt', '--endpoint-url', 'localhost:8000'], '--endpoint-url'],
    ['an endpoint that is none', ['show', 'a', '--table', 'ttt', '--endpoint-url', 'notaurl'], 'http://localhost:8000'],
    ['an empty endpoint', ['stats', '--table', 'ttt', '--endpoint-url', ''], '--endpoint-url'],
    ['an endpoint of files', ['doctor', '--table', 'ttt', '--endpoint-url', 'file:///tmp'], '--endpoint-url'],
    ['a port that is none', ['console', '--table', 'ttt', '--port', '99999'], 'a whole number from 1 to 65,535'],
    ['a port of 0', ['console', '--table', 'ttt', '--port', '0'], '--port is 0'],
    ['a caller that is no list', ['list', '--principal', '[1', '--table', 'ttt'], 'no list in JSON'],
  ])('%s is a fault of use', async (_, args, message) => {
    const { code, err, out } = await command(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });

  it('help is no fault, and names every command; IDEMPOTENCY_TABLE is a table', async () => {
    const { code, out } = await command(['--help']);
    expect(code).toBe(0);
    for (const name of ['list', 'stuck', 'show', 'resolve', 'forget', 'stats', 'doctor', 'init'])
      expect(out).toContain(name);
    const table = await newTable();
    const env = { IDEMPOTENCY_TABLE: table, AWS_ENDPOINT_URL: inject('endpoint') };
    expect(await command(['list'], { env })).toMatchObject({
      code: 0,
      err: expect.stringContaining('No record was found.'),
    });
  });

  it('a value may come from the standard input', async () => {
    const table = await newTable();
    await run({ table, key: 'k', end: 'hang', onUnknown: 'refuse' });
    const args = [
      'resolve',
      id('k'),
      '--yes',
      '--value-file',
      '-',
      '--table',
      table,
      '--endpoint-url',
      inject('endpoint'),
    ];
    expect(await command(args, { input: '"piped"' })).toMatchObject({ code: 0 });
    expect(await run({ table, key: 'k', end: 'return' })).toBe('"piped"');
  });
});

describe('what cannot be worked with is said in one sentence, and nothing is written', () => {
  it.each<[string, (table: string) => Promise<readonly string[]>, number, RegExp]>([
    [
      "another tool's table",
      async (table) => {
        for (let n = 0; n < 3; n++)
          await put(table, { id: { S: `fn#${n}` }, status: { S: 'COMPLETED' }, data: { S: '{}' } });
        return ['list'];
      },
      5,
      /the table holds no records of effectively-once: its items were written by another tool/,
    ],
    [
      'a record of another tool',
      async (table) => {
        await put(table, { id: { S: 'fn#1' }, status: { S: 'COMPLETED' } });
        return ['show', 'fn#1'];
      },
      5,
      /the record "fn#1" was not written by this version of effectively-once/,
    ],
    [
      'a record of a newer format',
      async (table) => {
        await put(table, { ...toItem(claimed({ id: 'fn#2' })), format: { N: '2' } });
        return ['forget', 'fn#2', '--yes'];
      },
      5,
      /the record "fn#2" was not written by this version of effectively-once/,
    ],
    [
      'a damaged record',
      async (table) => {
        await put(table, { ...toItem(claimed({ id: 'fn#3' })), attempt: { S: 'x' } });
        return ['resolve', 'fn#3', '--rerun', '--yes'];
      },
      5,
      /the record "fn#3" is damaged: `attempt` is missing or invalid/,
    ],
    [
      'a table that does not exist, or in another region',
      async () => ['list', '--table', 'nowhere'],
      5,
      /table "nowhere" does not exist in the region and account of this client/,
    ],
  ])('%s', async (_, made, code, message) => {
    const table = await newTable();
    const args = await made(table);
    const before = await itemsIn(table);
    const at = args.includes('--table') ? [] : ['--table', table];
    const said = await command([...args, ...at, '--endpoint-url', inject('endpoint')]);
    expect(said).toMatchObject({ code, out: '', err: expect.stringMatching(message) });
    const lines = said.err.split('\n').filter((line) => message.test(line));
    expect(lines.every(oneSentence) && lines.length).toBe(1);
    expect(said.err).not.toMatch(/\n {4}at /);
    expect(await itemsIn(table)).toEqual(before);
  });

  it('bytes that are no JSON are shown to be none, and the rest of the record with them', async () => {
    const table = await newTable();
    const { leaseUntil, steps, ...common } = claimed({ id: 'fn#4' });
    const done = { ...common, status: 'COMPLETED', completedAt: 1, outcome: { kind: 'value', body: '{"a":' } } as const;
    await put(table, toItem({ ...done, expiresAt: 4_000_000_000 }));
    const { code, out } = await on(table)('show', 'fn#4');
    expect(code).toBe(0);
    expect(out).toMatch(/^outcome: +not shown: it cannot be decoded \(json, 5 B\)$/m);
    expect(out).toMatch(/^state: +completed/m);
  });

  it('a table that cannot be reached is worth another try', async () => {
    const said = await command(['show', 'a', '--table', 'ttt', '--endpoint-url', 'http://127.0.0.1:9']);
    expect(said).toMatchObject({ code: 6, err: expect.stringContaining('could not be reached') });
  });

  it('control characters of a key do not reach the terminal', async () => {
    const table = await newTable();
    await put(table, toItem(claimed({ id: 'fn#5', identity: { key: 'a\u001b[31mb\u202e' } })));
    const { out } = await on(table)('list');
    expect(out).toContain('a\\u{1b}[31mb\\u{202e}');
    expect(out).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  });
});
