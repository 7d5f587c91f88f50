import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { About } from '../cli/console/wire.ts';
import { Header } from './header.tsx';
import { Problem } from './said.tsx';
import { about as aboutIt, type Refused, refusedBy } from './server.ts';
import { Table } from './table.tsx';

/** The page. */
export function Console(): VNode {
  const [about, setAbout] = useState<About>();
  const [refused, setRefused] = useState<Refused>();
  const begin = (): void => {
    setRefused(undefined);
    aboutIt().then(setAbout, (error) => setRefused(refusedBy(error)));
  };
  useEffect(begin, []);
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        Skip to the records
      </button>
      <Header about={about} />
      {about ? (
        <Table about={about} />
      ) : (
        <main id="main">
          {refused ? (
            <Problem says={refused.message}>
              <button type="button" onClick={begin}>
                Try again
              </button>
            </Problem>
          ) : (
            <p class="loading">Opening the console…</p>
          )}
        </main>
      )}
    </>
  );
}

function skip(): void {
  document.getElementById('results')?.focus();
}
