import { CommanderError, Command as Program } from 'commander';
import type { Command } from './command.ts';
import { COMMANDS } from './commands.ts';
import { connectionOf } from './connection.ts';
import { EXIT, endOf } from './exit.ts';
import { complain } from './terminal.ts';

const ON_TABLE = [
  ['--table <name>', 'the table, or its ARN; by default IDEMPOTENCY_TABLE of the environment'],
  ['--region <region>', 'by default as the AWS SDK finds it'],
  ['--endpoint-url <url>', 'of DynamoDB, for a local one'],
  ['--json', 'JSON on the standard output; of a list one object a line'],
] as const;

/** Runs the command, and gives its exit code. */
export async function run(args: readonly string[]): Promise<number> {
  let code: number = EXIT.done;
  const program = new Program('effectively-once')
    .description('Looks into a table of idempotency records, and decides on them.')
    .configureOutput({ outputError: (text) => text.trim().split('\n').map(complain) })
    .exitOverride();
  for (const command of COMMANDS)
    add(program, command, (ended) => {
      code = ended;
    });
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const { code: ended, message } = endOf(error);
    complain(message);
    return ended;
  }
}

function add(
  program: Program,
  { name, summary, options, isOnTable, load }: Command,
  ended: (code: number) => void,
): void {
  const command = program.command(name).description(summary).allowExcessArguments(name.startsWith('init'));
  for (const [flags, description] of [...options, ...(isOnTable ? ON_TABLE : [])]) command.option(flags, description);
  command.action(async () => {
    const given = command.opts();
    const call = { args: command.args, options: given, connect: () => connectionOf(given) };
    ended(await (await load())(call));
  });
}
