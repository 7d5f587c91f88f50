/** Does one after the other in this page, whatever comes of each. */
export function turns(): <T>(work: () => Promise<T>) => Promise<T> {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = tail.then(work);
    tail = turn.catch(() => {});
    return turn;
  };
}

interface Browser {
  readonly navigator: { readonly locks: { request(name: string, work: () => Promise<unknown>): Promise<unknown> } };
  readonly sessionStorage: object;
}

/**
 * Does it while no other tab does anything under this name in a storage that they share. Web Locks are there on secure pages
 * alone, and may be denied: then tabs know nothing of each other.
 */
export async function alone<T>(name: string, storage: object, work: () => Promise<T>): Promise<T> {
  let begun: Promise<T> | undefined;
  const begin = (): Promise<T> => (begun ??= work());
  try {
    const page = globalThis as unknown as Browser;
    if (storage !== page.sessionStorage) await page.navigator.locks.request(name, begin);
  } catch {
    // There are none, or it is the work that failed, as is told below.
  }
  return begin();
}
