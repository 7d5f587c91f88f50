import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dynamoDBStore } from 'effectively-once';
import { recordId, resolve } from 'effectively-once/operator';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { EXIT } from '../../cli/exit.ts';
import { scanning } from '../../cli/scan.ts';
import { hasColors, tableOf } from '../../cli/terminal.ts';
import { LOCAL } from '../../local/dynamodb.ts';
import { engineClient } from '../engine.ts';
import { standIn } from './stand-in.ts';
import { command, itemsIn, newTable, run } from './world.ts';

const CLI = fileURLToPath(new URL('../../cli/index.ts', import.meta.url));
const id = (key: string): string => recordId({ scope: 'charge', key });

/** The command at a terminal, which util-linux's `script` makes. `meanwhile`: done when it asks, before it is answered. */
async function atTerminal(
  args: readonly string[],
  answer: string,
  {
    meanwhile = async () => {},
    env = {},
  }: { readonly meanwhile?: () => Promise<unknown>; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<{ readonly code: number; readonly said: string }> {
  const line = [
    process.execPath,
    '--conditions=effectively-once-source',
    '--disable-warning=ExperimentalWarning',
    CLI,
    ...args,
  ];
  const child = spawn('script', ['-qefc', line.map((word) => `'${word}'`).join(' '), '/dev/null'], {
    env: {
      ...{ PATH: process.env['PATH'], TERM: 'xterm-256color', AWS_REGION: LOCAL.region },
      ...{ AWS_ACCESS_KEY_ID: LOCAL.credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: LOCAL.credentials.secretAccessKey },
      ...env,
    },
  });
  let said = '';
  let isAsked = false;
  child.stdout.on('data', (chunk) => {
    said += chunk;
    if (isAsked || !said.includes('[y/N]')) return;
    isAsked = true;
    meanwhile().then(() => child.stdin.write(`${answer}\n`));
  });
  const [code] = await once(child, 'close');
  return { code, said };
}

describe('at a terminal', () => {
  let table: string;
  const at = () => ['--table', table, '--endpoint-url', inject('endpoint')];
  beforeEach(async () => {
    table = await newTable();
    await run({ table, key: 'k', end: 'hang', onUnknown: 'refuse' });
  });

  it('a write is asked for, after the record was shown; no is no, and yes is yes', async () => {
    const before = await itemsIn(table);
    const no = await atTerminal(['resolve', id('k'), '--rerun', ...at()], '');
    expect(no.said).toMatch(/ch_k[\s\S]*Resolve it, so that the next request runs again\? \[y\/N\]/);
    expect(no.said).toContain('nothing was written');
    expect(no.code).toBe(EXIT.notConfirmed);
    expect(await itemsIn(table)).toEqual(before);
    const yes = await atTerminal(['resolve', id('k'), '--rerun', ...at()], 'y');
    expect(yes.said).toContain('Resolved');
    expect(yes.code).toBe(0);
    const forgotten = await atTerminal(['forget', id('k'), ...at()], 'yes');
    expect(forgotten.said).toContain('Forget it, so that the next request with this key runs again');
    expect(forgotten.code).toBe(0);
  });

  it.each([
    ['Ctrl-C', '\u0003', EXIT.interrupted],
    ['Ctrl-D', '\u0004', EXIT.notConfirmed],
    ['Ctrl-C after a y', 'y\u0003', EXIT.interrupted],
  ])('%s at the question is no, and says that nothing was written', async (_, pressed, code) => {
    const before = await itemsIn(table);
    const left = await atTerminal(['resolve', id('k'), '--rerun', ...at()], pressed);
    expect(left.said).toMatch(/\n.*nothing was written/);
    expect(left.said).not.toMatch(/abort/i);
    expect(left.code).toBe(code);
    expect(await itemsIn(table)).toEqual(before);
  });

  it('a record that changes between the question and the answer stays as it is', async () => {
    const store = dynamoDBStore({ client: engineClient(), tableName: table });
    const meanwhile = () => resolve(store, id('k'), { value: 'somebody else said so' });
    const { code, said } = await atTerminal(['resolve', id('k'), '--rerun', ...at()], 'y', { meanwhile });
    expect(said).toContain('the record was changed meanwhile');
    expect(code).toBe(EXIT.refused);
    expect(await run({ table, key: 'k', end: 'return' })).toBe('"somebody else said so"');
  });

  it('there are colours, unless NO_COLOR is set', async () => {
    const sequence = String.fromCodePoint(27);
    expect((await atTerminal(['list', ...at()], '')).said).toContain(`${sequence}[1mSTATE`);
    expect((await atTerminal(['show', id('k'), ...at()], '')).said).toMatch(new RegExp(`state: +${sequence}\\[1m\\w+`));
    const plain = await atTerminal(['list', ...at()], '', { env: { NO_COLOR: '1' } });
    expect(plain.said).toContain('STATE');
    expect(plain.said).not.toContain(`${sequence}[1m`);
    expect((await command(['list', ...at()])).out).not.toContain(sequence);
  });
});

describe('a permission that is missing is named, and nothing is written', () => {
  it.each<[string, string, readonly string[], RegExp]>([
    ['to search', 'Scan', ['list'], /a permission is missing, which IdempotencyTable.grantOperate gives/],
    ['to read', 'BatchGetItem', ['show', 'charge#1'], /which IdempotencyTable.grantOperate gives/],
    ['to decide', 'BatchGetItem', ['forget', 'charge#1', '--yes'], /which IdempotencyTable.grantOperate gives/],
  ])('%s', async (_, action, args, message) => {
    const table = await newTable();
    const { url, stop } = await standIn({ [`DynamoDB_20120810.${action}`]: undefined });
    const said = await command([...args, '--table', table, '--endpoint-url', url]);
    await stop();
    expect(said).toMatchObject({ code: EXIT.configuration, out: '', err: expect.stringMatching(message) });
  });

  it('to know what a search will cost: it is made all the same', async () => {
    const table = await newTable();
    const { url, stop } = await standIn({ 'DynamoDB_20120810.DescribeTable': undefined });
    const said = await command(['list', '--table', table, '--endpoint-url', url]);
    await stop();
    expect(said).toMatchObject({
      code: 0,
      err: expect.stringContaining('it takes the permission dynamodb:DescribeTable'),
    });
  });
});

describe('credentials that AWS refuses are a matter of configuration, and no reason to try again', () => {
  const NAMES = [
    'ExpiredTokenException',
    'ExpiredToken',
    'InvalidSignatureException',
    'IncompleteSignature',
    'InvalidClientTokenId',
    'UnrecognizedClientException',
    'MissingAuthenticationTokenException',
  ];
  it.each([
    ...NAMES.map((name) => [name, ['show', 'charge#1'], 'BatchGetItem'] as const),
    ['ExpiredTokenException', ['list'], 'DescribeTable'] as const,
    ['InvalidSignatureException', ['stats'], 'DescribeTable'] as const,
    ['ExpiredTokenException', ['doctor'], 'DescribeTable'] as const,
  ])('%s of %j', async (name, args, action) => {
    const table = await newTable();
    const body = { __type: `com.amazon.coral.service#${name}`, message: 'renew it' };
    const { url, stop } = await standIn({ [`DynamoDB_20120810.${action}`]: { status: 400, body } });
    const said = await command([...args, '--table', table, '--endpoint-url', url]);
    await stop();
    expect(said).toMatchObject({
      ...{ code: EXIT.configuration, out: '' },
      err: expect.stringContaining('these credentials cannot be used: renew it'),
    });
  });

  it('also if there are none to be had, as of a session that is over', async () => {
    const home = mkdtempSync(join(tmpdir(), 'aws-'));
    const file = join(home, 'config');
    const sso = 'sso_session = s\nsso_account_id = 000000000000\nsso_role_name = r';
    const session = 'sso_region = eu-central-1\nsso_start_url = https://sso.example/start';
    writeFileSync(file, `[profile operator]\n${sso}\n[sso-session s]\n${session}\n`);
    const none = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const env = { ...none, HOME: home, AWS_CONFIG_FILE: file, AWS_PROFILE: 'operator' };
    const said = await command(['show', 'charge#1', '--table', 'ttt'], { env });
    expect(said).toMatchObject({
      code: EXIT.configuration,
      err: expect.stringMatching(/these credentials cannot be used: .*aws sso login/),
    });
  });
});

it.each([
  ['list', [], 0],
  ['show', ['charge#nothing'], EXIT.noRecord],
  ['show', [], EXIT.usage],
])('%s %j ends with its code where nobody reads the standard error', async (name, args, code) => {
  const table = await newTable();
  const said = await command([name, ...args, '--table', table, '--endpoint-url', inject('endpoint')], {
    closed: 'stderr',
  });
  expect(said.code).toBe(code);
});

describe('a long scan', () => {
  const written: string[] = [];
  beforeEach(() => {
    written.length = 0;
    vi.useFakeTimers();
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
  const progress = { scanned: 12_000, readUnits: 700, foreign: 0, newer: 0, damaged: 0 };
  const scan = {
    estimate: async () => ({ items: 100_000, bytes: 50_700_000, readUnits: 6_190, seconds: 31 }),
    progress: () => progress,
  };
  const call = { args: [], options: {}, connect: () => ({}) as any };

  it('says before what it will cost, on the way how far it is, and at its end what it has cost', async () => {
    const end = Promise.withResolvers<number>();
    const scanned = scanning(
      call,
      () => scan,
      () => end.promise,
    );
    await vi.advanceTimersByTimeAsync(0);
    expect(written).toEqual(['This reads the whole table: about 100,000 items, 48.4 MB, 6,190 read units, 31 s.\n']);
    await vi.advanceTimersByTimeAsync(25_000);
    expect(written.slice(1)).toEqual(Array(2).fill('12,000 of about 100,000 items, 700 read units\n'));
    end.resolve(5);
    expect(await scanned).toBe(5);
    expect(written.at(-1)).toBe('12,000 items looked at, 700.0 read units.\n');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is ended by Ctrl-C', async () => {
    const begun = scanning(
      call,
      (how) => ({ ...scan, signal: how.signal }),
      ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    const ended = expect(begun).rejects.toMatchObject({ code: EXIT.interrupted, message: 'interrupted' });
    await vi.advanceTimersByTimeAsync(0);
    process.emit('SIGINT');
    await ended;
  });

  it('says of what is no record how many there are, and what one of them is', async () => {
    const odd = { ...scan, progress: () => ({ ...progress, foreign: 2, newer: 1, why: 'the record "x" is odd' }) };
    await scanning(
      call,
      () => odd,
      async () => {},
    );
    expect(written.at(-1)).toBe(
      'Not listed, as they are no records: 2 of another tool\'s, 1 of a later version (the record "x" is odd).\n',
    );
  });
});

it('columns are as wide as their widest cell, and a cell stays in its line', () => {
  expect(hasColors(process.stdout)).toBe(false);
  expect(
    tableOf(
      ['A', 'BB'],
      [
        ['1\n2', 'x'],
        ['123456', 'y'],
      ],
    ),
  ).toBe('A        BB\n1\\u{a}2  x\n123456   y');
});
