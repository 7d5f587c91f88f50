import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface LocalRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/**
 * `fetch` for an API of the local cloud. Every name that ends with `.localhost` is this machine: curl knows, not every
 * resolver does, and `fetch` takes no Host header.
 */
export async function fetchLocally(url: string, { body, ...init }: LocalRequest = {}): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const { host, port, pathname, search } = new URL(url);
  const options = {
    ...init,
    host: '127.0.0.1',
    port,
    path: `${pathname}${search}`,
    headers: { ...init.headers, host },
  };
  request(options, (response) => {
    const { statusCode: status, rawHeaders } = response;
    const headers = new Headers(rawHeaders.flatMap((name, i) => (i % 2 ? [] : [[name, rawHeaders[i + 1] ?? '']])));
    buffer(response).then(
      (bytes) => resolve(new Response(bytes.length > 0 ? Uint8Array.from(bytes) : null, { status, headers })),
      reject,
    );
  })
    .once('error', reject)
    .end(body);
  return promise;
}
