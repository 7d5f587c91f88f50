import { intent, retrying } from 'effectively-once/client';

const send = retrying();
const checkout = intent('checkout', { storage: localStorage });

export interface Cart {
  readonly items: readonly string[];
}

/** The click on "Place order", however often it comes. */
export function placeOrder(cart: Cart): Promise<{ orderId: string }> {
  return checkout.send(cart, async (key) => {
    const response = await send('https://shop.example.com/orders', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body: JSON.stringify(cart),
    });
    if (!response.ok) throw Object.assign(new Error(`no order: ${response.status}`), { response });
    return (await response.json()) as { orderId: string };
  });
}

/** The click on "Continue shopping": what is ordered from now on is another order. */
export function continueShopping(): Promise<void> {
  return checkout.next();
}
