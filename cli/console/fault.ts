import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { isIdempotencyError } from '../../src/core/errors.ts';
import type { Fault } from './wire.ts';

/** A request that is none. */
export class Invalid extends Error {}

/** Answers a request that failed with one sentence. */
export function failure(error: unknown, c: Context): Response {
  if (error instanceof HTTPException) return error.getResponse(); // of hono's own guards
  const status = isIdempotencyError(error) ? error.statusCode : error instanceof Invalid ? 400 : 500;
  return c.json(faultOf(error), status as 500);
}

export function faultOf(error: unknown): Fault {
  const message = error instanceof Error ? error.message : String(error);
  if (isIdempotencyError(error)) return { code: error.code, message };
  return { code: error instanceof Invalid ? 'INVALID' : 'FAILED', message };
}
