import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { isIdempotencyError } from '../../src/core/errors.ts';
import { credentialsFault } from '../credentials.ts';
import type { Fault } from './wire.ts';

/** A request that is none. */
export class Invalid extends Error {}

const OF_REQUEST = ['INVALID', 'MISUSE'];

/** Answers a request that failed with one sentence. */
export function failure(error: unknown, c: Context): Response {
  if (error instanceof HTTPException) return error.getResponse(); // of hono's own guards
  const fault = faultOf(error);
  const { statusCode } = isIdempotencyError(error) ? error : { statusCode: 500 };
  return c.json(fault, (OF_REQUEST.includes(fault.code) ? 400 : statusCode) as 500);
}

export function faultOf(error: unknown): Fault {
  const message = credentialsFault(error) ?? (error instanceof Error ? error.message : String(error));
  if (isIdempotencyError(error)) return { code: error.code, message };
  return { code: error instanceof Invalid ? 'INVALID' : 'FAILED', message };
}
