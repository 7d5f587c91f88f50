#!/usr/bin/env node
import { init } from './init.ts';

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => void>> = { init };

const USAGE = `Usage: effectively-once init [folder]

  init   writes a project into an empty folder: an HTTP and a queue handler, their stack, and a test of what a crash does`;

const [name = '', ...args] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
try {
  if (command) command(args);
  else if (/^(-h|--help|help|)$/.test(name)) console.log(USAGE);
  else throw new Error(`no command "${name}"\n\n${USAGE}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
