import type { Confirmation } from './checkout.ts';
import { element } from './elements.ts';

const title = element('#outcome-title');

const EUROS = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' });

export function euros(cents: number): string {
  return EUROS.format(cents / 100);
}

export function showConfirmation({ orderId, item, amount, replayed }: Confirmation): void {
  show('confirmed', 'Order placed');
  element('#order-id').textContent = orderId;
  element('#order-items').textContent = item;
  element('#order-amount').textContent = euros(amount);
  element('#order-replayed').hidden = !replayed;
  element<HTMLAnchorElement>('#order-link').href = `/orders/${encodeURIComponent(orderId)}`;
  title.focus({ preventScroll: matchMedia('(min-width: 46rem)').matches });
}

/** What to say, and what may help, by the name of an error or of its cause. */
const WORDS: Readonly<Record<string, string>> = {
  UndecidedError:
    'An earlier order of this browser has no answer yet. Go back to its cart and place it again, or start a new order.',
  QuotaExceededError:
    'This browser has no room to remember the order by, so nothing was sent. Make room, and place it again.',
  SecurityError: 'This browser does not let the shop remember the order, so nothing was sent. Allow it to store data.',
};

const NO_ANSWER = 'There was no answer. Place the order again when you like: it stays the same order.';

export function showProblem(error: Error): void {
  const { name } = (error.cause as Error | undefined) ?? error;
  show('problem', 'Not confirmed yet');
  element('#problem').textContent =
    'response' in error ? error.message : (WORDS[error.name] ?? WORDS[name] ?? NO_ANSWER);
  // To start anew is to give the earlier order up, so it is offered to those alone who cannot send that again.
  element('#next').hidden = error.name !== 'UndecidedError';
}

export function showNothing(): void {
  show('hint', 'No order yet');
}

function show(part: 'hint' | 'confirmed' | 'problem', heading: string): void {
  title.textContent = heading;
  for (const other of ['hint', 'confirmed']) element(`#${other}`).hidden = other !== part;
  element('#problem').textContent = '';
  element('#next').hidden = part !== 'confirmed';
  element('.outcome').dataset['part'] = part;
}
