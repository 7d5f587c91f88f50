import type { Duration } from '../../src/core/duration.ts';
import type { Listed } from '../../src/operator/glance.ts';
import { type Listing, type ListOptions, list as records } from '../../src/operator/list.ts';
import type { State } from '../../src/operator/state.ts';
import type { Call } from '../command.ts';
import { EXIT } from '../exit.ts';
import { json } from '../json.ts';
import { scanning } from '../scan.ts';
import { numberIn, operationIn, principalIn } from '../target.ts';
import { lasting, remark, say, tableOf } from '../terminal.ts';

const MOST = 100;

export function list(call: Call): Promise<number> {
  const states = call.options['state']?.split(',').map((state: string) => state.trim()) as State[] | undefined;
  return listed(call, states);
}

export function stuck(call: Call): Promise<number> {
  return listed(call, ['in-doubt', 'stuck']);
}

async function listed(call: Call, state: readonly State[] | undefined): Promise<number> {
  const { options } = call;
  const limit = numberIn('limit', options['limit']) ?? MOST;
  const sought = soughtIn(options, state);
  const { store } = call.connect();
  const isJson = options['json'] === true;
  const found: Listed[] = [];
  let listing = undefined as Listing | undefined;
  const begin = (how: object): Listing => {
    listing = records(store, { ...sought, ...how });
    return listing;
  };
  try {
    await scanning(call, begin, (begun) => take(found, begun, limit, isJson));
    if (!isJson && found.length === 0) remark('No record was found.');
  } finally {
    // Also what was found before a scan was ended: it has been paid for.
    if (!isJson && found.length > 0) print(found);
    const { scanned = 0, token } = listing?.progress() ?? {};
    if (scanned > 0 && token !== undefined) remark(`There may be more: go on with --from ${token}`);
  }
  return EXIT.done;
}

function soughtIn(options: Call['options'], state: readonly State[] | undefined): ListOptions {
  const { scope, key, olderThan, from } = options;
  const [operation, principal] = [operationIn(options), principalIn(options)];
  return {
    ...(state && { state }),
    ...(scope !== undefined && { scope }),
    ...(key !== undefined && { key }),
    ...(operation !== undefined && { operation }),
    ...(principal !== undefined && { principal }),
    ...(olderThan !== undefined && { olderThan: olderThan as Duration }),
    ...(from !== undefined && { from }),
  };
}

/** As many as are asked for; JSON is written as it comes. */
async function take(found: Listed[], listing: Listing, limit: number, isJson: boolean): Promise<void> {
  for await (const record of listing) {
    if (isJson) say(json(record));
    if (found.push(record) === limit) break;
  }
}

function print(found: readonly Listed[]): void {
  const now = Date.now();
  const rows = [...found]
    .sort((a, b) => a.claimedAt - b.claimedAt)
    .map((record) => [
      record.state,
      lasting(Math.max(0, now - record.claimedAt)),
      `${record.attempt}`,
      record.scope,
      partOf(record, 'operation'),
      partOf(record, 'key'),
      partOf(record, 'principal'),
      record.id,
    ]);
  say(tableOf(['STATE', 'AGE', 'ATTEMPT', 'SCOPE', 'OPERATION', 'KEY', 'CALLER', 'ID'], rows));
}

/** With an ellipsis where the record has cut it. */
function partOf(record: Listed, part: 'operation' | 'key' | 'principal'): string {
  return `${record[part] ?? '-'}${record.cut.includes(part) ? '…' : ''}`;
}
