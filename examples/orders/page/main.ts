import { type Cart, keepCart, keptCart, linesOf, orderOf, withMore } from './cart.ts';
import { type Failure, isOpen, place, startAnew } from './checkout.ts';
import { element, instance } from './elements.ts';
import { euros, showConfirmation, showNothing, showProblem } from './outcome.ts';
import { pending } from './pending.ts';
import { clicked, ordered } from './wire.ts';

const button = element<HTMLButtonElement>('#place');
const status = element('#status');
let cart = keptCart();
let underWay = 0;

async function order(): Promise<void> {
  const wanted = orderOf(cart);
  pending.set(wanted);
  busy(+1);
  try {
    const confirmation = await place(wanted);
    pending.clear(wanted);
    ordered(confirmation.orderId);
    showConfirmation(confirmation);
  } catch (error) {
    if (!isOpen(error as Failure)) pending.clear(wanted);
    showProblem(error as Error);
  } finally {
    busy(-1);
  }
}

function busy(more: number): void {
  underWay += more;
  button.ariaBusy = `${underWay > 0}`;
  status.textContent = underWay > 0 ? 'Placing your order …' : '';
}

function showCart(): void {
  for (const { id, count, cents } of linesOf(cart)) {
    const line = element(`#line-${id}`);
    element('output', line).textContent = `${count}`;
    element('.price', line).textContent = euros(count * cents);
    element<HTMLButtonElement>('.less', line).disabled = count === 0;
  }
  const { amount } = orderOf(cart);
  element('#total').textContent = euros(amount);
  button.disabled = amount === 0;
}

function change(next: Cart): void {
  cart = next;
  keepCart(cart);
  showCart();
}

function addLines(): void {
  for (const { id, name, detail, cents } of linesOf(cart)) {
    const line = instance('line');
    line.id = `line-${id}`;
    element('b', line).textContent = name;
    element('small', line).textContent = `${detail}, ${euros(cents)}`;
    element('.stepper', line).ariaLabel = `Quantity of ${name}`;
    for (const [step, words, by] of [
      ['.less', 'One less', -1],
      ['.more', 'One more', 1],
    ] as const) {
      const stepper = element(step, line);
      stepper.ariaLabel = `${words}: ${name}`;
      stepper.addEventListener('click', () => change(withMore(cart, id, by)));
    }
    element('#lines').append(line);
  }
}

addLines();
showCart();
button.addEventListener('click', () => {
  clicked();
  order();
});
element('#next').addEventListener('click', async () => {
  pending.startAnew();
  await startAnew();
  showNothing();
  button.focus();
});
// Another tab has changed the cart.
addEventListener('storage', () => {
  cart = keptCart();
  showCart();
});
// What was under way when the page was left, or the network: it has its key still.
const resume = (): void => {
  if (pending.isDue(orderOf(cart))) order();
};
addEventListener('online', resume);
resume();
