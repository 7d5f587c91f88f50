import { StandardRetryStrategy } from '@smithy/core/retry';
import axios from 'axios';
import axiosRetry from 'axios-retry';
import got from 'got';
import ky from 'ky';
import { retrying } from '../../../src/client/index.ts';

/** Posts an order, under a key if there is one; gives the status of the answer, or throws. */
export type Post = (url: string, key: string | undefined) => Promise<number>;

export interface Client {
  readonly name: string;
  readonly post: Post;
  /** Whether its caller gives it a key. */
  readonly isKeyed?: boolean;
}

const BODY = { item: 'book' };
const STATUSES = [408, 409, 413, 425, 429, 500, 502, 503, 504];
const headersOf = (key: string | undefined): Record<string, string> => (key ? { 'Idempotency-Key': key } : {});

// It tries again only what it throws.
const kyPost =
  (retry?: object): Post =>
  async (url, key) => {
    const options = { json: BODY, headers: headersOf(key), ...(retry && { retry }) };
    return ky.post(url, options).then(({ status }) => status, statusOf);
  };

/** Of an error that holds an answer; any other is thrown. */
function statusOf(error: { response?: { status: number } }): number {
  if (!error.response) throw error;
  return error.response.status;
}

const gotPost =
  (retry?: object): Post =>
  async (url, key) => {
    const options = { json: BODY, headers: headersOf(key), throwHttpErrors: false, ...(retry && { retry }) };
    return (await got.post(url, options)).statusCode;
  };

function axiosPost(retry?: Parameters<typeof axiosRetry>[1]): Post {
  const client = axios.create();
  axiosRetry(client, retry);
  return async (url, key) => {
    return client.post(url, BODY, { headers: headersOf(key) }).then(({ status }) => status, statusOf);
  };
}

/** The standard strategy of the AWS SDK, around `fetch`: what it retries is what the SDK does. */
function sdkPost(): Post {
  const strategy = new StandardRetryStrategy(3);
  return async (url, key) => {
    const init = { method: 'POST', body: JSON.stringify(BODY), headers: headersOf(key) };
    let token = await strategy.acquireInitialRetryToken('');
    for (;;) {
      const outcome: Response | Error = await fetch(url, init).catch((error) => error);
      const status = outcome instanceof Response ? outcome.status : undefined;
      if (status !== undefined && status !== 429 && ![500, 502, 503, 504].includes(status)) {
        strategy.recordSuccess(token);
        return status;
      }
      const after = outcome instanceof Response ? Number(outcome.headers.get('retry-after')) : 0;
      const retryAfterHint = after > 0 ? { retryAfterHint: new Date(Date.now() + after * 1_000) } : {};
      const errorType = status === 429 ? 'THROTTLING' : 'TRANSIENT';
      try {
        token = await strategy.refreshRetryTokenForRetry(token, { errorType, ...retryAfterHint });
      } catch {
        if (status === undefined) throw outcome;
        return status;
      }
    }
  };
}

const oursPost: Post = async (url) => {
  const { origin } = new URL(url);
  const send = retrying(undefined, { origins: [origin] });
  return (await send(url, { method: 'POST', body: JSON.stringify(BODY) })).status;
};

const KY_TOLD = { limit: 2, methods: ['post'], statusCodes: STATUSES, afterStatusCodes: [409, 413, 429, 503] };
const GOT_TOLD = { limit: 2, methods: ['POST'], statusCodes: STATUSES };
const AXIOS_TOLD = {
  retries: 2,
  retryDelay: axiosRetry.exponentialDelay,
  retryCondition: (error: { response?: { status: number } }) =>
    error.response === undefined || STATUSES.includes(error.response.status),
};

/** Each as it is, told to retry POST, and told so with a key of its caller. */
export const CLIENTS: readonly Client[] = [
  ...variants('ky', kyPost(), kyPost(KY_TOLD)),
  ...variants('got', gotPost(), gotPost(GOT_TOLD)),
  ...variants('axios-retry', axiosPost(), axiosPost(AXIOS_TOLD as never)),
  { name: 'AWS SDK’s strategy', post: sdkPost() },
  { name: 'AWS SDK’s strategy, with a key', post: sdkPost(), isKeyed: true },
  { name: '`retrying`', post: oursPost },
];

function variants(name: string, byDefault: Post, told: Post): Client[] {
  return [
    { name, post: byDefault },
    { name: `${name}, told to`, post: told },
    { name: `${name}, told to, with a key`, post: told, isKeyed: true },
  ];
}
