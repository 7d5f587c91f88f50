import { retryInfo, retrying } from 'effectively-once/client';

const send = retrying(fetch, {
  origins: ['https://api.example.com'], // the servers that honour Idempotency-Key
  onRetry: ({ attempt, delayMs, status, error }) => console.info({ attempt, delayMs, status, error }),
});

export async function placeOrder(order: { item: string; amount: number }) {
  const response = await send('https://api.example.com/orders', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(order),
  });
  const { attempts, replayed, key } = retryInfo(response);
  console.info({ status: response.status, attempts, replayed, key });
  if (!response.ok) throw new Error(`no order: ${response.status}`);
  return response.json();
}
