import { createInterface } from 'node:readline';
import { Ended, EXIT } from './exit.ts';

/** Asks before something is written. Throws unless the answer is yes; without a terminal `--yes` is the only one. */
export async function confirm(question: string, { yes }: Readonly<Record<string, any>>): Promise<void> {
  if (yes === true) return;
  if (!process.stdin.isTTY) {
    throw new Ended(EXIT.notConfirmed, 'nothing was written: there is no terminal to ask at, so give --yes');
  }
  const answer = await answered(`${question} [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new Ended(EXIT.notConfirmed, 'nothing was written');
}

/** What was typed; nothing after Ctrl-D. Throws for Ctrl-C. */
function answered(question: string): Promise<string> {
  const { stdin: input, stderr: output } = process;
  const terminal = createInterface({ input, output });
  return new Promise<string>((resolve, reject) => {
    const left = (): void => {
      output.write('\n'); // the question stands in its line
      resolve('');
    };
    terminal.once('SIGINT', () => {
      reject(new Ended(EXIT.interrupted, 'interrupted: nothing was written'));
      terminal.close();
    });
    terminal.once('close', left);
    terminal.question(question, (answer) => {
      terminal.off('close', left);
      resolve(answer);
    });
  }).finally(() => terminal.close());
}
