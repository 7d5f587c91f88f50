import { isDenied } from '../src/operator/for-operators.ts';
import type { Estimate } from '../src/operator/scanning.ts';
import type { Progress } from '../src/operator/walk.ts';
import type { Call } from './command.ts';
import { built, Ended, EXIT } from './exit.ts';
import { numberIn } from './target.ts';
import { complain, counted, remark, sized } from './terminal.ts';

/** What all scans are told. */
interface Scanning {
  readonly unitsPerSecond?: number;
  readonly segments?: number;
  readonly signal: AbortSignal;
}

interface Scan {
  readonly estimate: () => Promise<Estimate>;
  readonly progress: () => Progress;
}

const EVERY_MS = 1_000;
const EVERY_MS_IN_A_LOG = 10_000;

/** Scans, says before what it will cost, on the way how far it is, and at its end what it has cost. Ctrl-C ends it, and says how to go on. */
export async function scanning<S extends Scan, T>(
  { options }: Call,
  begin: (how: Scanning) => S,
  take: (scan: S) => Promise<T>,
): Promise<T> {
  const gone = new AbortController();
  const stop = (): void => gone.abort(new Ended(EXIT.interrupted, 'interrupted'));
  const [unitsPerSecond, segments] = [numberIn('units', options['units']), numberIn('segments', options['segments'])];
  const how = { ...(unitsPerSecond && { unitsPerSecond }), ...(segments && { segments }), signal: gone.signal };
  const scan = built(() => begin(how));
  const total = await announced(scan);
  const ticking = ticker(scan, total);
  process.once('SIGINT', stop);
  try {
    return await take(scan);
  } finally {
    process.off('SIGINT', stop);
    ticking.end();
    conclude(scan.progress());
  }
}

/** A table whose size nobody may ask is scanned all the same. */
async function announced(scan: Scan): Promise<Estimate | undefined> {
  try {
    const estimate = await scan.estimate();
    const { items, bytes, readUnits, seconds } = estimate;
    if (seconds > 0 || bytes > 0) {
      const size = `about ${counted(items)} items, ${sized(bytes)}`;
      remark(`This reads the whole table: ${size}, ${counted(readUnits)} read units, ${counted(seconds)} s.`);
    }
    return estimate;
  } catch (error) {
    if (!isDenied(error)) throw error;
    remark('What this will cost is not known: it takes the permission dynamodb:DescribeTable.');
    return undefined;
  }
}

function ticker(scan: Scan, total: Estimate | undefined): { readonly end: () => void } {
  const { stderr } = process;
  const line = (): string => {
    const { scanned, readUnits } = scan.progress();
    const of = total && total.items > 0 ? ` of about ${counted(total.items)}` : '';
    return `${counted(scanned)}${of} items, ${counted(readUnits)} read units`;
  };
  const tick = (): void => void stderr.write(stderr.isTTY ? `\r\x1b[K${line()}` : `${line()}\n`);
  const timer = setInterval(tick, stderr.isTTY ? EVERY_MS : EVERY_MS_IN_A_LOG);
  timer.unref();
  return {
    end() {
      clearInterval(timer);
      if (stderr.isTTY) stderr.write('\r\x1b[K');
    },
  };
}

function conclude({ scanned, readUnits, foreign, newer, damaged, why }: Progress): void {
  remark(`${counted(scanned)} items looked at, ${readUnits.toFixed(1)} read units.`);
  const others = Object.entries({ foreign, newer, damaged }).filter(([, number]) => number > 0);
  if (others.length === 0) return;
  complain(
    `Not listed, as they are no records: ${others.map(([kind, number]) => `${counted(number)} ${WORDS[kind]}`).join(', ')} (${why}).`,
  );
}

const WORDS: Readonly<Record<string, string>> = {
  foreign: "of another tool's",
  newer: 'of a later version',
  damaged: 'damaged',
};
