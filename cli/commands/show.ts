import { inspect } from '../../src/operator/inspect.ts';
import type { Call } from '../command.ts';
import { EXIT } from '../exit.ts';
import { json } from '../json.ts';
import { shown } from '../shown.ts';
import { targetOf } from '../target.ts';
import { say } from '../terminal.ts';

export async function show(call: Call): Promise<number> {
  const id = targetOf(call);
  const record = await inspect(call.connect().store, id);
  say(call.options['json'] === true ? json(record) : shown(record));
  return EXIT.done;
}
