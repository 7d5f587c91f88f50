import { useLayoutEffect, useMemo, useState } from 'preact/hooks';
import type { Sought } from '../cli/console/wire.ts';
import { NOTHING, type Scan, type Scanning, scanning } from './scan.ts';

/** The search of the page: another one, or the same in another turn, ends it. */
export function useScan(sought: Sought, turn: number): readonly [Scan, Scanning] {
  const [scan, setScan] = useState(NOTHING);
  const what = JSON.stringify(sought);
  const run = useMemo(() => scanning(JSON.parse(what), setScan), [what, turn]);
  // Before anything is painted: what was found for another search is not shown for this one.
  useLayoutEffect(() => {
    setScan(NOTHING);
    void run.prepare();
    return run.end;
  }, [run]);
  return [scan, run];
}
