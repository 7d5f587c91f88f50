import { intent, retryInfo, retrying } from 'effectively-once/client';
import type { Order } from './cart.ts';
import { answered, begun, retried, sent, unanswered } from './wire.ts';

export interface Confirmation extends Order {
  readonly orderId: string;
  /** Whether the server answered from its record. */
  readonly replayed: boolean;
}

const send = retrying(watched, { attempts: 5, onRetry: retried });

/** One order for all tabs: what two of them do at once is one after the other, and has one key. */
const checkout = intent('checkout', { storage: storageOfPage() });

/** What an order that was sent has come to instead of its confirmation. */
export interface Failure extends Error {
  readonly response?: Response;
  readonly wasSent?: boolean;
}

/** The click on "Place order", however often it comes. Rejects with what the server said against it, or with the last error. */
export function place(order: Order): Promise<Confirmation> {
  return checkout.send(order, (key) =>
    post(order, key).catch((error) => {
      throw Object.assign(error, { wasSent: true });
    }),
  );
}

async function post(order: Order, key: string): Promise<Confirmation> {
  begun();
  const response = await send('/orders', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
    body: JSON.stringify(order),
  });
  // With the response, so that the intention knows whether that was the outcome.
  if (!response.ok) throw Object.assign(new Error(await reasonIn(response)), { response });
  return { ...(await response.json()), replayed: retryInfo(response).replayed };
}

/** Whether it was sent, and may have had its effect, or have it yet. */
export function isOpen({ wasSent = false, response }: Failure): boolean {
  return wasSent && (!response || response.status >= 500 || [408, 409, 425, 429].includes(response.status));
}

/** From now on the same cart is another order. */
export function startAnew(): Promise<void> {
  return checkout.next();
}

/** `fetch`, with a line on the page for each request. */
async function watched(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
  const line = sent(new Headers(init?.headers).get('Idempotency-Key') ?? '');
  try {
    const response = await fetch(input, init);
    answered(line, response);
    return response;
  } catch (error) {
    unanswered(line, error);
    throw error;
  }
}

async function reasonIn(response: Response): Promise<string> {
  const { detail, title, message } = await response.json().catch(() => ({}));
  return detail ?? title ?? message ?? `The shop answered ${response.status}.`;
}

/** Where it is denied, its mere name throws: then the first order is refused, and not the page. */
function storageOfPage(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  try {
    return localStorage;
  } catch (error) {
    const deny = (): never => {
      throw error;
    };
    return { getItem: deny, setItem: deny, removeItem: deny };
  }
}
