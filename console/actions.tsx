import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { Shown } from '../cli/console/wire.ts';
import { choicesFor, DEEDS, type Deed } from './deciding.ts';
import { Dialog } from './dialog.tsx';

interface ActionsProps {
  readonly shown: Shown;
  readonly readOnly: boolean;
  /** Is told in words what was done. */
  readonly done: (what: string) => Promise<void>;
  /** Reads the record again. */
  readonly again: () => Promise<void>;
}

/** What can be done to the record, each behind a dialog that says what will happen. */
export function Actions({ shown, readOnly, done, again }: ActionsProps): VNode | null {
  const [open, setOpen] = useState<{ readonly deed: Deed; readonly seen: Shown }>();
  const { deeds, why } = choicesFor(shown);
  if (readOnly) return null;
  return (
    <div class="actions">
      {why !== '' && <p>{why}</p>}
      {deeds.map((deed) => (
        <button key={deed} type="button" onClick={() => setOpen({ deed, seen: shown })}>
          {DEEDS[deed].title}…
        </button>
      ))}
      {open && (
        <Dialog
          deed={open.deed}
          shown={open.seen}
          close={() => setOpen(undefined)}
          done={(what) => {
            setOpen(undefined);
            void done(what);
          }}
          again={() => {
            setOpen(undefined);
            void again();
          }}
        />
      )}
    </div>
  );
}
