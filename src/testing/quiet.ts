import { isIdempotencyError } from '../core/errors.ts';
import { isInTime } from './stand-in.ts';

let users = 0;
let undo = (): void => {};

/** Suppresses what the runtime says of the faults of an exploration, and nothing else. */
export async function quietly<T>(explore: () => Promise<T>): Promise<T> {
  if (users++ === 0) undo = silence();
  try {
    return await explore();
  } finally {
    if (--users === 0) undo();
  }
}

function silence(): () => void {
  const { emitWarning } = process;
  const { error } = console;
  process.emitWarning = ((warning: string, ...rest: any[]) => {
    if (!(isInTime() && rest[0] === 'IdempotencyWarning')) emitWarning.call(process, warning, ...rest);
  }) as typeof emitWarning;
  console.error = (...args: unknown[]) => {
    const isOurs = isIdempotencyError(args[0]) || /^record \S+ is reported as failed:$/.test(String(args[0]));
    if (!(isInTime() && isOurs)) error.apply(console, args);
  };
  return () => Object.assign(process, { emitWarning }) && Object.assign(console, { error });
}
