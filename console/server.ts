import type { About, Fault, Forgetting, Line, Resolution, Shown, Sought } from '../cli/console/wire.ts';
import type { Forgotten } from '../src/operator/forget.ts';
import type { Estimate } from '../src/operator/scanning.ts';
import { tokenOf } from './session.ts';

/** What the server has refused, in its own sentence. */
export class Refused extends Error {
  readonly code: string;

  constructor({ code, message }: Fault) {
    super(message);
    this.code = code;
  }
}

const token = tokenOf();

export const about = (): Promise<About> => answer('about');
export const estimate = (sought: Sought): Promise<Estimate> => answer(`estimate?${searching(sought)}`);
export const record = (id: string): Promise<Shown> => answer(`record?${new URLSearchParams({ id })}`);
export const resolve = (resolution: Resolution): Promise<object> => answer('resolve', resolution);
export const forget = (forgetting: Forgetting): Promise<Forgotten> => answer('forget', forgetting);

/** The lines of a search as they come, those that came together in one. */
export async function* search(sought: Sought, signal: AbortSignal): AsyncGenerator<readonly Line[]> {
  const { body } = await asked(`records?${searching(sought)}`, undefined, signal);
  let rest = '';
  for await (const text of (body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    yield lines.map((line) => JSON.parse(line));
  }
}

function searching(sought: Sought): URLSearchParams {
  return new URLSearchParams({ sought: JSON.stringify(sought) });
}

async function answer<T>(path: string, body?: object): Promise<T> {
  return (await asked(path, body)).json();
}

/** Rejects with {@link Refused}, also if there is no answer. */
async function asked(path: string, body?: object, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(`/api/${path}`, {
    headers: { Authorization: `Bearer ${token}`, ...(body && { 'Content-Type': 'application/json' }) },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
    ...(signal && { signal }),
  }).catch((error) => {
    if (signal?.aborted) throw error;
    throw new Refused({ code: 'GONE', message: 'the console does not answer: is its command still running?' });
  });
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  throw new Refused({ code: 'FAILED', message: `the console answered ${response.status}`, ...said });
}

/** As {@link Refused}, whatever was thrown. */
export function refusedBy(error: unknown): Refused {
  return error instanceof Refused ? error : new Refused({ code: 'FAILED', message: String(error) });
}
