import { retrying } from 'effectively-once/client';
import { describe, expect, it, vi } from 'vitest';
import { API, ORDERS, over, type Reaction, scripted, virtualTime } from './scripted.ts';

virtualTime(0);

/** How many of so many calls, one after the other, were tried a second time. */
async function triedAgain(reaction: Reaction, calls: number, send?: (fetch: typeof globalThis.fetch) => typeof fetch) {
  const server = scripted(reaction);
  const call = (send ?? ((fetch) => retrying(fetch, { attempts: 2 })))(server.fetch);
  for (let index = 0; index < calls; index++) await over(call(ORDERS)).catch(() => {});
  return server.requests.length - calls;
}

describe('500 tokens of an origin', () => {
  it('are 35 retries at 14 tokens; then calls end with their first attempt, which is never refused', async () => {
    expect(await triedAgain(503, 60)).toBe(35);
    expect(await triedAgain(new TypeError('reset'), 60)).toBe(35);
  });

  it('are 100 retries after throttling, at 5 tokens', async () => {
    expect(await triedAgain(429, 150)).toBe(100);
  });

  it('are not spent by waits', async () => {
    const server = scripted(...Array<Reaction>(1_000).fill({ status: 409, headers: { 'retry-after': '0' } }), 200);
    vi.spyOn(Math, 'random').mockReturnValue(0);
    expect((await over(retrying(server.fetch)(ORDERS))).status).toBe(200);
    expect(server.requests).toHaveLength(1_001);
  });

  it('are not counted with `budget: false`', async () => {
    expect(await triedAgain(503, 60, (fetch) => retrying(fetch, { attempts: 2, budget: false }))).toBe(60);
  });

  it('come back: what the last retry took, when it is answered', async () => {
    const flaky: Reaction[] = Array.from({ length: 200 }, (_, index) => (index % 2 ? 200 : 503));
    const server = scripted(...flaky);
    const send = retrying(server.fetch, { attempts: 2 });
    for (let call = 0; call < 100; call++) expect((await over(send(ORDERS))).status).toBe(200);
  });

  it('come back one by one with calls that are answered at once, also by a 404', async () => {
    let status = 503;
    const server = scripted(() => new Response('', { status }));
    const send = retrying(server.fetch, { attempts: 2 });
    const tried = async (): Promise<number> => {
      const before = server.requests.length;
      await over(send(ORDERS));
      return server.requests.length - before;
    };
    while ((await tried()) === 2); // 10 are left
    status = 404;
    for (let call = 0; call < 3; call++) await tried();
    status = 503;
    expect(await tried()).toBe(1);
    status = 200;
    await tried();
    status = 503;
    expect([await tried(), await tried()]).toEqual([2, 1]);
  });

  it('are never more than 500', async () => {
    const server = scripted(...Array<Reaction>(100).fill(200), 503);
    const send = retrying(server.fetch, { attempts: 2 });
    for (let call = 0; call < 200; call++) await over(send(ORDERS));
    expect(server.requests.length - 200).toBe(35);
  });

  it('are one bucket for each origin, and for each retrying()', async () => {
    const server = scripted(503);
    const send = retrying(server.fetch, { attempts: 2 });
    const calls = async (address: string, by = send) => {
      const before = server.requests.length;
      for (let call = 0; call < 40; call++) await over(by(address));
      return server.requests.length - before - 40;
    };
    expect(await calls(ORDERS)).toBe(35);
    expect(await calls(`${API}/other`)).toBe(0);
    expect(await calls('https://other.example.com/')).toBe(35);
    expect(await calls(ORDERS, retrying(server.fetch, { attempts: 2 }))).toBe(35);
  });
});
