import type { VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Shown } from '../cli/console/wire.ts';
import { consequencesOf, DEEDS, type Deed } from './deciding.ts';
import { part } from './results.tsx';
import { Problem } from './said.tsx';
import { forget, type Refused, refusedBy, resolve } from './server.ts';
import { type Draft, draftFor, ValueFields, valueIn } from './value-fields.tsx';

interface DialogProps {
  readonly deed: Deed;
  /** The record as it was shown when it was opened: the one that is decided on. */
  readonly shown: Shown;
  readonly close: () => void;
  readonly done: (what: string) => void;
  /** Closes, and shows the record as it is now. */
  readonly again: () => void;
}

/** Says what will happen, and does it when that is confirmed. */
export function Dialog({ deed, shown, close, done, again }: DialogProps): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const [draft, setDraft] = useState<Draft>(draftFor(shown));
  const [refused, setRefused] = useState<Refused>();
  const [isUnderWay, setUnderWay] = useState(false);
  // Before the next key is pressed, which is meant for it.
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (isUnderWay) return;
    setRefused(undefined);
    setUnderWay(true);
    try {
      done(await decide(deed, shown, draft));
    } catch (error) {
      setRefused(refusedBy(error));
      setUnderWay(false);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby="deed-title" aria-describedby="deed-says" onClose={close}>
      <form onSubmit={submit}>
        <h2 id="deed-title">
          {DEEDS[deed].title} <small>{part(shown, 'key')}</small>
        </h2>
        <ul id="deed-says">
          {consequencesOf(deed, shown).map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
        {deed === 'value' && <ValueFields draft={draft} change={setDraft} />}
        {refused && (
          <Problem says={refused.message}>
            {refused.code === 'CONFLICT' && (
              <button type="button" onClick={again}>
                Show it as it is now
              </button>
            )}
          </Problem>
        )}
        <div class="buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class={deed === 'value' ? 'primary' : 'primary danger'} aria-disabled={isUnderWay}>
            {DEEDS[deed].button}
          </button>
        </div>
      </form>
    </dialog>
  );
}

/** Says what was done. */
async function decide(deed: Deed, { id, version, claimedAt, owner }: Shown, draft: Draft): Promise<string> {
  const seen = { version, claimedAt, ...(owner !== undefined && { owner }) };
  if (deed === 'value') {
    await resolve({ id, seen, verdict: { value: valueIn(draft) } });
    return 'Resolved: every retry and every duplicate gets this outcome.';
  }
  if (deed === 'rerun') {
    await resolve({ id, seen, verdict: { rerun: true } });
    return 'Resolved: the next request with this key runs again.';
  }
  const { cachedForMs } = await forget({ id, seen });
  const cached = cachedForMs > 0 ? ` Functions may answer from memory for ${cachedForMs / 1_000} s more.` : '';
  return `Forgotten: the next request with this key runs as if it had never run.${cached}`;
}
