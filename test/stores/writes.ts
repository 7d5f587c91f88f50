import type { Change, Claimed, Store, Write, Written } from 'effectively-once';

type Of<Kind extends Write['kind']> = Extract<Write, { readonly kind: Kind }>;

export const insert = (next: Of<'insert'>['next']): Write => ({ kind: 'insert', next });

export const replace = (seen: Of<'replace'>['seen'], next: Of<'replace'>['next']): Write => ({
  kind: 'replace',
  seen,
  next,
});

export const update = (held: Claimed, change: Change): Write => ({ kind: 'update', held, change });

/** The store with something else done in place of one kind of its writes; `send` does what it does. */
export function instead<Kind extends Write['kind']>(
  store: Store,
  kind: Kind,
  answer: (write: Of<Kind>, send: () => Promise<Written>, signal?: AbortSignal) => Promise<Written>,
): Store {
  return {
    ...store,
    write: (write, signal) => {
      const send = () => store.write(write, signal);
      return write.kind === kind ? answer(write as Of<Kind>, send, signal) : send();
    },
  };
}
