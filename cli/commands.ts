import type { Command } from './command.ts';

const IDENTITY = [
  ['--scope <scope>', 'of the record, instead of its id'],
  ['--key <key>', 'the idempotency key'],
  ['--operation <operation>', "within the scope: 'POST /orders/{id}'"],
  ['--principal <caller>', 'the caller: a text, or a JSON list such as ["jwt","https://issuer/","alice"]'],
] as const;

const NOBODY = [
  ['--no-operation', 'records without an operation'],
  ['--no-principal', 'records of nobody'],
] as const;

const SCAN = [
  ['--units <number>', 'read units a second, 200 by default'],
  ['--segments <number>', 'parts of the table that are scanned side by side, 4 by default'],
] as const;

const LISTED = [
  ...IDENTITY,
  ...NOBODY,
  ['--older-than <duration>', 'claimed before so long: 30s, 15m, 24h, 7d'],
  ['--limit <number>', 'records, 100 by default'],
  ['--from <token>', 'go on where an earlier list ended'],
  ...SCAN,
] as const;

const YES = ['--yes', 'write without asking'] as const;

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  {
    name: 'list',
    summary: 'records by state, scope, key, operation, caller and age; with the whole identity one read, else a scan',
    options: [
      ['--state <states>', 'one or several, with commas: in-doubt,stuck,in-progress,released,failed,completed,expired'],
      ...LISTED,
    ],
    isOnTable: true,
    load: async () => (await import('./commands/list.ts')).list,
  },
  {
    name: 'stuck',
    summary: 'records whose run was lost: list --state in-doubt,stuck',
    options: LISTED,
    isOnTable: true,
    load: async () => (await import('./commands/list.ts')).stuck,
  },
  {
    name: 'show [id]',
    summary: 'all that is known of a record: state, times, steps, outcome',
    options: IDENTITY,
    isOnTable: true,
    load: async () => (await import('./commands/show.ts')).show,
  },
  {
    name: 'resolve [id]',
    summary: 'decides an unknown outcome',
    options: [
      ...IDENTITY,
      ['--rerun', 'the next request runs again'],
      ['--value <json>', 'this is the outcome; of an HTTP operation a response {"statusCode":201,"body":"…"}'],
      ['--value-file <path>', 'the same from a file; - for the standard input'],
      YES,
    ],
    isOnTable: true,
    load: async () => (await import('./commands/decide.ts')).resolve,
  },
  {
    name: 'forget [id]',
    summary: 'lets a key run again, as if it had never run',
    options: [...IDENTITY, YES],
    isOnTable: true,
    load: async () => (await import('./commands/decide.ts')).forget,
  },
  {
    name: 'stats',
    summary: 'counts and sizes by scope, state and age; scans the whole table',
    options: SCAN,
    isOnTable: true,
    load: async () => (await import('./commands/stats.ts')).stats,
  },
  {
    name: 'doctor',
    summary: 'checks the table, the functions that use it, their roles and event sources',
    options: [['--function <names>', 'these, with commas; by default all that name the table in their environment']],
    isOnTable: true,
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'console',
    summary: 'a page on this machine: what is stuck and in progress, search, each record, resolve and forget',
    options: [
      ['--read-only', 'nothing can be resolved or forgotten'],
      ['--port <number>', 'of the loopback interface; by default a free one'],
      ['--units <number>', 'read units a second that a search consumes, 200 by default'],
    ],
    isOnTable: true,
    load: async () => (await import('./commands/console.ts')).serve,
  },
  {
    name: 'init [folder]',
    summary:
      'writes a project into an empty folder: an HTTP and a queue handler, their stack, and a test of what a crash does',
    options: [],
    isOnTable: false,
    load: async () => {
      const { init } = await import('./init.ts');
      return async ({ args }) => {
        init(args);
        return 0;
      };
    },
  },
];
