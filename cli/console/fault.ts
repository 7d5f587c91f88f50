import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { isIdempotencyError } from '../../src/core/errors.ts';
import { credentialsFault } from '../credentials.ts';
import type { Fault } from './wire.ts';

/** A request that is none. */
export class Invalid extends Error {}

/** Answers a request that failed with one sentence. */
export function failure(error: unknown, c: Context): Response {
  if (error instanceof HTTPException) return error.getResponse(); // of hono's own guards
  const { statusCode } = isIdempotencyError(error) ? error : { statusCode: 500 };
  const isOfRequest = error instanceof Invalid || (isIdempotencyError(error) && error.code === 'MISUSE');
  return c.json(faultOf(error), (isOfRequest ? 400 : statusCode) as 500);
}

export function faultOf(error: unknown): Fault {
  const message = credentialsFault(error) ?? (error instanceof Error ? error.message : String(error));
  if (isIdempotencyError(error)) return { code: error.code, message };
  return { code: error instanceof Invalid ? 'INVALID' : 'FAILED', message };
}
