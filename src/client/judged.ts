import { type Verdict, verdictOf } from './verdict.ts';

/**
 * What an answer means for its call, and how many ms it asks to wait. The body of a 409 or 422 is looked at, for as long as `within`
 * lets it; if it does not come, the caller meets that when reading it.
 */
export async function judged(
  response: Response,
  within: (work: () => Promise<string>) => Promise<string>,
): Promise<readonly [Verdict, retryAfter?: number]> {
  const { status, headers } = response;
  const words = `${headers.get('stripe-should-retry')} ${headers.get('transient-error')}`;
  const retryAfter = retryAfterOf(headers);
  const isOpen = status === 409 || status === 422;
  const body =
    isOpen &&
    (await within(() => response.clone().text())
      .then(JSON.parse)
      .catch(() => {}));
  return [verdictOf(status, words, retryAfter, markOf(body)), retryAfter];
}

/** Ms, of a date by the server's own clock if it tells. */
function retryAfterOf(headers: Headers): number | undefined {
  const text = `${headers.get('retry-after')}`;
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  // `Date.parse` takes much that is no date of HTTP.
  const at = /^[A-Z].+ GMT$/.test(text) && Date.parse(text);
  return at ? at - (Date.parse(`${headers.get('date')}`) || Date.now()) : undefined;
}

/** Problem types of ours, Stripe's error code, and Adyen's. */
function markOf(body: any): string {
  return `${body?.type} ${body?.error?.code} ${body?.errorCode}`;
}
