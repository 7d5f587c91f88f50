/** What a client asks for. */
export interface Order {
  readonly item: string;
  /** In cents. */
  readonly amount: number;
}

/** An order on its way to be charged, as it lies in the queue. */
export interface PlacedOrder extends Order {
  readonly orderId: string;
}

/** The order in a request's body; `undefined` if there is none. */
export function parseOrder(body: string | undefined): Order | undefined {
  try {
    const { item, amount } = JSON.parse(body ?? '');
    return typeof item === 'string' && Number.isSafeInteger(amount) && amount > 0 ? { item, amount } : undefined;
  } catch {
    return undefined;
  }
}
