import { createInterface } from 'node:readline/promises';
import { Ended, EXIT } from './exit.ts';

/** Asks before something is written. Throws unless the answer is yes; without a terminal `--yes` is the only one. */
export async function confirm(question: string, { yes }: Readonly<Record<string, any>>): Promise<void> {
  if (yes === true) return;
  if (!process.stdin.isTTY) {
    throw new Ended(EXIT.notConfirmed, 'nothing was written: there is no terminal to ask at, so give --yes');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new Ended(EXIT.notConfirmed, 'nothing was written');
  } finally {
    terminal.close();
  }
}
