import type { MutationOptions } from '@tanstack/query-core';
import { type Cart, placeOrder } from './intent.ts';

/** For `useMutation(placeOrderMutation)`. */
export const placeOrderMutation: MutationOptions<{ orderId: string }, Error, Cart> = {
  mutationKey: ['place-order'],
  mutationFn: (cart) => placeOrder(cart),
  retry: false, // one layer retries, and that is `retrying`
  networkMode: 'always', // offline is a failure like any other: its key is kept
};
