import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { About } from '../cli/console/wire.ts';
import { ScanProgress } from './progress.tsx';
import { Record } from './record.tsx';
import { Results } from './results.tsx';
import { go, type Route, useRoute } from './route.ts';
import { Search } from './search.tsx';
import { soughtBy } from './sought.ts';
import { States } from './states.tsx';
import { useScan } from './use-scan.ts';

/** What is in the table, beside it the record that was opened. */
export function Table({ about }: { readonly about: About }): VNode {
  const route = useRoute();
  const [turn, setTurn] = useState(0);
  const [scan, run] = useScan(soughtBy(route), turn);
  const { phase, records } = scan;
  const search = (next: Route): void => {
    const isSame = JSON.stringify(soughtBy(next)) === JSON.stringify(soughtBy(route));
    go(next);
    if (isSame) setTurn(turn + 1);
  };
  const close = (): void => {
    const id = `record:${route.record}`;
    go({ ...route, record: '' });
    // When the list is there again.
    setTimeout(() => (document.getElementById(id) ?? document.getElementById('results'))?.focus());
  };
  return (
    <main id="main" data-shows={route.record === '' ? 'table' : 'record'}>
      <section
        class="records card"
        aria-labelledby="records-title"
        aria-busy={phase === 'estimating' || phase === 'scanning'}
      >
        <h2 id="records-title">Records</h2>
        <Search route={route} search={search} />
        <section id="results" tabIndex={-1} aria-label="What was found">
          <ScanProgress scan={scan} run={run} about={about} />
          {records.size > 0 && <Results records={records} route={route} />}
          {records.size === 0 && phase === 'over' && <Empty isAll={route.state.length === 0} />}
        </section>
        <States states={about.states} />
      </section>
      {route.record !== '' && (
        <Record
          key={route.record}
          id={route.record}
          about={about}
          close={close}
          tell={(shown) => records.has(shown.id) && run.put(shown)}
        />
      )}
    </main>
  );
}

function Empty({ isAll }: { readonly isAll: boolean }): VNode {
  return (
    <p class="empty">
      <strong>No such record.</strong> {isAll ? 'No record is as you search for.' : 'Nothing in these states.'}
    </p>
  );
}
