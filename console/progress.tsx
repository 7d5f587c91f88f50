import type { VNode } from 'preact';
import type { About } from '../cli/console/wire.ts';
import type { Progress } from '../src/operator/walk.ts';
import { Problem } from './said.tsx';
import type { Scan, Scanning } from './scan.ts';
import { counted, lasting, several, sized } from './words.ts';

interface ScanningProps {
  readonly scan: Scan;
  readonly run: Scanning;
  readonly about: About;
}

/** Where a search is: what it will take, how far it is, what it took, why it failed. */
export function ScanProgress({ scan, run, about }: ScanningProps): VNode {
  return (
    <>
      <p class="unseen" role="status">
        {statusOf(scan)}
      </p>
      {scan.phase === 'asking' && <Asking scan={scan} run={run} about={about} />}
      {(scan.phase === 'scanning' || scan.phase === 'estimating') && <UnderWay scan={scan} run={run} />}
      {scan.phase === 'failed' && scan.refused && (
        <Problem says={scan.refused.message}>
          <button type="button" onClick={run.start}>
            Try again
          </button>
        </Problem>
      )}
      <Aftermath scan={scan} run={run} />
    </>
  );
}

/** For screen readers; what changes with every page of a scan is not read out. */
function statusOf({ phase, records }: Scan): string {
  const found = `${several(records.size, 'record')} found`;
  const said: Record<Scan['phase'], string> = {
    estimating: 'Looking at the table',
    asking: 'This search takes long; it waits for you',
    scanning: 'Searching',
    paused: `${found} so far`,
    cancelled: `Cancelled, ${found} so far`,
    over: `Searched, ${found}`,
    failed: '',
  };
  return said[phase];
}

function Asking({ scan: { estimate }, run, about }: ScanningProps): VNode {
  const { items = 0, bytes = 0, readUnits = 0, seconds = 0 } = estimate ?? {};
  return (
    <div class="asking">
      <p>
        This reads the whole table: about <strong>{several(items, 'item')}</strong>, {sized(bytes)}. It consumes about{' '}
        <strong>{several(readUnits, 'read unit')}</strong>, {counted(about.unitsPerSecond)} a second, and takes{' '}
        <strong>{lasting(seconds)}</strong>.
      </p>
      <button class="primary" type="button" onClick={run.start}>
        Search the table
      </button>
    </div>
  );
}

function UnderWay({ scan: { estimate, progress, phase }, run }: Omit<ScanningProps, 'about'>): VNode {
  const scanned = progress?.scanned ?? 0;
  const items = estimate?.items ?? 0;
  // DynamoDB counts a table four times a day: where there are more items, there is no telling how far it is.
  const isKnown = scanned > 0 && items > scanned;
  return (
    <div class="under-way">
      <progress aria-label="Search" {...(isKnown && { max: items, value: scanned })} />
      <p>
        {counted(scanned)} {isKnown && `of about ${counted(items)} `}items,{' '}
        {several(Math.ceil(progress?.readUnits ?? 0), 'read unit')}
      </p>
      <button type="button" disabled={phase === 'estimating'} onClick={run.cancel}>
        Cancel
      </button>
    </div>
  );
}

function Aftermath({ scan: { phase, progress }, run }: Omit<ScanningProps, 'about'>): VNode | null {
  if (phase !== 'paused' && phase !== 'cancelled' && phase !== 'over') return null;
  return (
    <div class="aftermath">
      <p>
        {phase === 'cancelled' ? 'Cancelled. ' : ''}
        {progress && summaryOf(progress)}
      </p>
      {phase !== 'over' && (
        <button type="button" onClick={run.start}>
          {phase === 'paused' ? 'Show more' : 'Go on'}
        </button>
      )}
    </div>
  );
}

function summaryOf({ scanned, readUnits, foreign, newer, damaged, why }: Progress): string {
  const others = [
    [foreign, "another tool's"],
    [newer, "a later version's"],
    [damaged, 'damaged'],
  ] as const;
  const told = others.filter(([number]) => number > 0).map(([number, whose]) => `${counted(number)} ${whose}`);
  const read = `${several(scanned, 'item')} read, ${several(Math.ceil(readUnits), 'read unit')}.`;
  return told.length === 0 ? read : `${read} Not listed, as they are no records: ${told.join(', ')} (${why}).`;
}
