import { stats as counting, type Stats } from '../../src/operator/stats.ts';
import type { Call } from '../command.ts';
import { EXIT } from '../exit.ts';
import { json } from '../json.ts';
import { scanning } from '../scan.ts';
import { counted, lasting, remark, say, sized, tableOf } from '../terminal.ts';

export async function stats(call: Call): Promise<number> {
  const { store } = call.connect();
  const { result, readUnits } = await scanning(
    call,
    (how) => counting(store, how),
    async (scan) => ({ result: await scan.result(), readUnits: scan.progress().readUnits }),
  );
  if (call.options['json'] === true) say(json({ ...result, readUnits }));
  else print(result);
  return EXIT.done;
}

function print({ groups, parts }: Stats): void {
  if (groups.length === 0) return void remark('There are no records.');
  const now = Date.now();
  const ages = Object.keys(groups[0]?.ages ?? {}) as (keyof (typeof groups)[number]['ages'])[];
  const rows = groups.map(({ scope, state, records, bytes, largestBytes, oldest, ages: of }) => [
    ...[scope, state, counted(records), ...ages.map((age) => counted(of[age]))],
    ...[lasting(Math.max(0, now - oldest)), sized(bytes), sized(largestBytes)],
  ]);
  say(
    tableOf(['SCOPE', 'STATE', 'RECORDS', ...ages.map((age) => age.toUpperCase()), 'OLDEST', 'SIZE', 'LARGEST'], rows),
  );
  if (parts.items > 0)
    say(`Apart from the records, of large values: ${counted(parts.items)} items, ${sized(parts.bytes)}.`);
}
