import { type Context, Hono } from 'hono';
import { asGiven, parsed, type Table, that } from '../../src/core/check.ts';
import type { Store } from '../../src/core/store.ts';
import type { Verdict } from '../../src/execution.ts';
import { forget } from '../../src/operator/forget.ts';
import { resolve } from '../../src/operator/resolve.ts';
import type { Seen } from '../../src/operator/seen.ts';
import { Invalid } from './fault.ts';
import type { Env } from './guard.ts';
import type { Forgetting, Resolution } from './wire.ts';

const FORGETTING = {
  id: that<string>((value) => typeof value === 'string' && value !== '', 'the id of a record'),
  seen: that<Seen>(isSeen, 'the version, owner and claim of the record that was seen'),
};
const RESOLUTION = { ...FORGETTING, verdict: asGiven<Verdict> };

/** What decides: on the record as it was seen, and on no other. */
export function writing(store: Store): Hono<Env> {
  const app = new Hono<Env>();
  app.post('/resolve', async (c) => {
    const { id, seen, verdict } = await given<Resolution>(c, RESOLUTION);
    await resolve(store, id, verdict, { seen });
    return c.json({});
  });
  app.post('/forget', async (c) => {
    const { id, seen } = await given<Forgetting>(c, FORGETTING);
    return c.json(await forget(store, id, { seen }));
  });
  return app;
}

/** The body of a request, with all that it must have. */
async function given<T extends object>(c: Context<Env>, table: Table): Promise<T> {
  const body: unknown = await c.req.json().catch(() => undefined);
  if (typeof body !== 'object' || body === null) throw new Invalid('the request is no JSON');
  const missing = Object.keys(table).find((name) => !Object.hasOwn(body, name));
  if (missing) throw new Invalid(`the request lacks \`${missing}\``);
  return parsed('the request', body, table) as T;
}

function isSeen(value: unknown): boolean {
  const { version, claimedAt, owner } = (value ?? {}) as Record<string, unknown>;
  return Number.isInteger(version) && Number.isInteger(claimedAt) && (owner === undefined || typeof owner === 'string');
}
