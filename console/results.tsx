import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import type { Listed } from '../src/operator/glance.ts';
import type { State } from '../src/operator/state.ts';
import { hrefOf, type Route } from './route.ts';
import { Badge, When } from './said.tsx';
import { NAMES, several } from './words.ts';

const ORDER = Object.keys(NAMES);

interface ResultsProps {
  readonly records: ReadonlyMap<string, Listed>;
  readonly route: Route;
}

/** What was found: what needs an operator first, of each state the oldest. */
export function Results({ records, route }: ResultsProps): VNode {
  const sorted = [...records.values()].sort(
    (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.claimedAt - b.claimedAt,
  );
  // The roles stand here because narrow pages show rows as blocks, which takes them from screen readers.
  return (
    <table role="table" class="results">
      <caption>{tallyOf(sorted)}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {['State', 'Operation and key', 'Caller', 'Scope', 'Attempt', 'Claimed'].map((name) => (
            <th key={name} role="columnheader" scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">{useRows(sorted, route)}</tbody>
    </table>
  );
}

/** A row for each; what has not changed is the very same as before, so that thousands of them are not gone through again. */
function useRows(records: readonly Listed[], route: Route): readonly VNode[] {
  const kept = useRef(new Map<string, { readonly of: string; readonly record: Listed; readonly row: VNode }>());
  const search = hrefOf({ ...route, record: '' });
  return records.map((record) => {
    const { id } = record;
    const of = `${id === route.record} ${search}`;
    const last = kept.current.get(id);
    if (last?.of === of && last.record === record) return last.row;
    const row = <Row key={id} record={record} route={route} />;
    kept.current.set(id, { of, record, row });
    return row;
  });
}

function Row({ record, route }: { readonly record: Listed; readonly route: Route }): VNode {
  const { id, state, scope, operation, principal, attempt, claimedAt } = record;
  const isShown = route.record === id;
  return (
    <tr role="row" aria-current={isShown ? 'true' : undefined}>
      <td role="cell">
        <Badge state={state} />
      </td>
      <td role="cell" class="name">
        {operation !== undefined && <span class="operation">{part(record, 'operation')}</span>}
        <a id={`record:${id}`} href={hrefOf({ ...route, record: id })}>
          {record.key === undefined ? id : part(record, 'key')}
        </a>
      </td>
      <td role="cell" class="caller">
        {principal === undefined ? <span class="unseen">nobody</span> : callerOf(record)}
      </td>
      <td role="cell">{scope}</td>
      <td role="cell" class="attempt">
        <span class="word">attempt </span>
        {attempt}
      </td>
      <td role="cell" class="claimed">
        <When at={claimedAt} isBare />
      </td>
    </tr>
  );
}

/** A caller of several texts has dots between them. */
function callerOf(record: Listed): string {
  const text = part(record, 'principal');
  try {
    return JSON.parse(text).join(' · ');
  } catch {
    return text; // it is one, or was cut
  }
}

/** With an ellipsis where the record has cut it. */
export function part(record: Listed, name: 'key' | 'operation' | 'principal'): string {
  return `${record[name] ?? ''}${record.cut.includes(name) ? '…' : ''}`;
}

/** `3 records: 1 in doubt, 2 stuck`. */
function tallyOf(records: readonly Listed[]): string {
  const groups = Object.entries(Object.groupBy(records, ({ state }) => state)) as [State, Listed[]][];
  const parts = groups.map(([state, all]) => `${all.length} ${NAMES[state].toLowerCase()}`);
  return `${several(records.length, 'record')}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}
