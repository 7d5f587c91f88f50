import { readFileSync } from 'node:fs';
import type { Verdict } from '../../src/execution.ts';
import { forget as forgetRecord } from '../../src/operator/forget.ts';
import { type Inspection, inspect } from '../../src/operator/inspect.ts';
import { resolve as resolveRecord } from '../../src/operator/resolve.ts';
import { confirm } from '../ask.ts';
import type { Call } from '../command.ts';
import { built, EXIT, usage } from '../exit.ts';
import { json } from '../json.ts';
import { shown } from '../shown.ts';
import { targetOf } from '../target.ts';
import { lasting, remark, say } from '../terminal.ts';

const UNKNOWN = ['in-doubt', 'stuck'];
const HELD = [...UNKNOWN, 'in-progress'];

/** Shows the record, says what will happen, asks, and decides on the record as it was shown. */
export async function resolve(call: Call): Promise<number> {
  const verdict = verdictIn(call.options);
  const { store, seen } = await seenBy(call);
  const what = 'rerun' in verdict ? 'the next request runs again' : 'duplicates get this value, and nothing runs again';
  if ('value' in verdict) remark('The value is kept in clear, whatever codec the function has.');
  // If it cannot be resolved, that is said without a question.
  if (UNKNOWN.includes(seen.state)) await confirm(`Resolve it, so that ${what}?`, call.options);
  await resolveRecord(store, seen.id, verdict, { seen });
  tell(call, { id: seen.id, done: 'resolved', to: 'rerun' in verdict ? 'rerun' : 'value' }, `Resolved: ${what}.`);
  return EXIT.done;
}

export async function forget(call: Call): Promise<number> {
  const { store, seen } = await seenBy(call);
  const what = 'the next request with this key runs again, as if it had never run, also with another payload';
  if (!HELD.includes(seen.state)) {
    remark('Steps on record are forgotten, too: every effect is repeated.');
    await confirm(`Forget it, so that ${what}?`, call.options);
  }
  const { id, cachedForMs } = await forgetRecord(store, seen.id, { seen });
  const cached =
    cachedForMs > 0
      ? ` Functions that have its outcome in memory may answer with it for ${lasting(cachedForMs)} more (\`cacheFor\`).`
      : '';
  tell(call, { id, done: 'forgotten', cachedForMs }, `Forgotten: ${what}.${cached}`);
  return EXIT.done;
}

async function seenBy(
  call: Call,
): Promise<{ readonly store: ReturnType<Call['connect']>['store']; readonly seen: Inspection }> {
  const id = targetOf(call);
  const { store } = call.connect();
  const seen = await inspect(store, id);
  remark(shown(seen));
  return { store, seen };
}

function tell({ options }: Call, result: object, text: string): void {
  say(options['json'] === true ? json(result) : text);
}

function verdictIn({ rerun, value, valueFile }: Call['options']): Verdict {
  const given = [rerun, value, valueFile].filter((one) => one !== undefined);
  if (given.length !== 1) throw usage('give one of --rerun, --value and --value-file');
  if (rerun === true) return { rerun: true };
  return { value: parsed(value ?? built(() => readFileSync(valueFile === '-' ? 0 : valueFile, 'utf8'))) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usage('the value is no JSON: a text has quotes, as in --value \'"charged"\'');
  }
}
