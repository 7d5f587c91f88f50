import type { IntentStorage } from 'effectively-once/client';
import { vi } from 'vitest';

export type Sent = (key: string) => Promise<any>;

interface Browser {
  readonly storage: { -readonly [Name in keyof IntentStorage]: IntentStorage[Name] };
  /** What is stored. */
  readonly items: Map<string, string>;
  /** The same storage as a page sees it that was loaded anew, or in another tab. */
  readonly reload: () => IntentStorage;
}

/** A profile of a browser. `locks`: whether pages have Web Locks; `real`: those of Node.js. */
export function browser({ locks = false }: { locks?: boolean | 'denied' | 'real' } = {}): Browser {
  if (locks !== 'real') vi.stubGlobal('navigator', locks ? { locks: locks === true ? webLocks() : DENIED } : {});
  const items = new Map<string, string>();
  const storageOfPage = () => ({
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => void items.set(name, value),
    removeItem: (name: string) => void items.delete(name),
  });
  return { storage: storageOfPage(), items, reload: storageOfPage };
}

const DENIED = { request: () => Promise.reject(new DOMException('denied', 'SecurityError')) };

function webLocks() {
  const tails = new Map<string, Promise<unknown>>();
  return {
    request<T>(name: string, work: () => Promise<T>): Promise<T> {
      const turn = (tails.get(name) ?? Promise.resolve()).then(work);
      tails.set(
        name,
        turn.catch(() => {}),
      );
      return turn;
    },
  };
}

/** A server that makes one order for each key, after it has failed as its script says. */
export function shop(...script: readonly Sent[]) {
  const orders = new Map<string, string>();
  const log: { key: string; what: string | undefined }[] = [];
  return {
    log: () => log,
    keys: () => log.map(({ key }) => key),
    calls: () => log.length,
    send: async (key: string, what?: string): Promise<string> => {
      log.push({ key, what });
      const order = orders.get(key) ?? `order ${orders.size + 1}`;
      orders.set(key, order);
      await script[log.length - 1]?.(key); // the order is made, and its answer may be lost
      return order;
    },
  };
}

export function failing(error: unknown): Sent {
  return () => Promise.reject(error);
}

export function deferred<T>() {
  return Promise.withResolvers<T>();
}

/** The same JSON, its members in another order. */
export function alike(value: any): any {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(alike);
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, member]) => [name, alike(member)])
      .reverse(),
  );
}
