import { type Context, Hono } from 'hono';
import { stream } from 'hono/streaming';
import type { Store } from '../../src/core/store.ts';
import { inspect } from '../../src/operator/inspect.ts';
import { type Listing, list } from '../../src/operator/list.ts';
import { MOST_SEGMENTS } from '../../src/operator/walk.ts';
import { isAnsweredByResponse } from '../../src/sources/all.ts';
import { json } from '../json.ts';
import { faultOf, Invalid } from './fault.ts';
import type { Env } from './guard.ts';
import type { About, Line, Shown, Sought } from './wire.ts';

/** Records that a search gives before it asks whether it shall go on. */
const AT_ONCE = 500;
const EVERY_MS = 250;

/** What one segment consumes in a second. Each takes its share from the begin on, so that more of them are slower on a small table. */
const UNITS_OF_ONE = 500;

/** What only looks. */
export function reading(store: Store, { unitsPerSecond }: Pick<About, 'unitsPerSecond'>): Hono<Env> {
  const app = new Hono<Env>();

  app.get('/estimate', async (c) => c.json(await list(store, { ...soughtIn(c), unitsPerSecond }).estimate()));

  app.get('/records', (c) => {
    const gone = new AbortController();
    const segments = Math.min(MOST_SEGMENTS, Math.ceil(unitsPerSecond / UNITS_OF_ONE));
    const listing = list(store, { ...soughtIn(c), unitsPerSecond, segments, signal: gone.signal });
    c.header('Content-Type', 'application/x-ndjson');
    return stream(c, (out) => {
      out.onAbort(() => gone.abort());
      return told(listing, (line) => out.writeln(json(line)));
    });
  });

  app.get('/record', async (c) => {
    const inspection = await inspect(store, c.req.query('id') ?? '');
    const shown: Shown = { ...inspection, isResponse: isAnsweredByResponse(inspection.source) };
    return c.body(json(shown), 200, { 'Content-Type': 'application/json' });
  });

  return app;
}

/** Says what is found, and at times how far it is. */
async function told(listing: Listing, say: (line: Line) => Promise<unknown>): Promise<void> {
  const ticking = setInterval(() => void say({ progress: listing.progress() }), EVERY_MS);
  try {
    let left = AT_ONCE;
    for await (const record of listing) {
      await say({ record });
      if (--left === 0) break;
    }
    await say({ end: listing.progress() });
  } catch (error) {
    await say({ failed: faultOf(error) });
  } finally {
    clearInterval(ticking);
  }
}

/** `list` judges what it is. */
function soughtIn(c: Context<Env>): Sought {
  try {
    return JSON.parse(c.req.query('sought') ?? '{}');
  } catch {
    throw new Invalid('`sought` is no JSON');
  }
}
