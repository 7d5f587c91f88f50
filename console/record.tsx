import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { About, Shown } from '../cli/console/wire.ts';
import { Actions } from './actions.tsx';
import { Outcome, Steps } from './ended.tsx';
import { Facts, Inner } from './facts.tsx';
import { part } from './results.tsx';
import { Badge, Problem, Sentence } from './said.tsx';
import { useRecord } from './use-record.ts';
import { onClock } from './words.ts';

interface RecordProps {
  readonly id: string;
  readonly about: About;
  readonly close: () => void;
  /** Hears of the record as it is now. */
  readonly tell: (shown: Shown) => void;
}

/** All that is known of one record, and what can be done about it. The focus goes to its heading. */
export function Record({ id, about, close, tell }: RecordProps): VNode {
  const [{ shown, readAt, refused, isUnderWay }, read] = useRecord(id, tell);
  const [said, setSaid] = useState('');
  const heading = useRef<HTMLHeadingElement>(null);
  const isThere = shown !== undefined || refused !== undefined;
  useEffect(() => {
    setSaid('');
    heading.current?.focus();
  }, [id, isThere]);
  const decided = async (what: string): Promise<void> => {
    await read();
    setSaid(what);
    heading.current?.focus();
  };
  return (
    <section class="record card" aria-labelledby="record-title" aria-busy={isUnderWay}>
      <div class="top">
        <h2 id="record-title" tabIndex={-1} ref={heading}>
          {shown?.key === undefined ? 'Record' : part(shown, 'key')}
        </h2>
        <button type="button" class="close" onClick={close}>
          Close
        </button>
      </div>
      <p class="said" role="status">
        {said}
      </p>
      {refused && <Problem says={refused.message} />}
      {!isThere && <p class="loading">Reading the record…</p>}
      {shown && (
        <>
          <p class="state">
            <Badge state={shown.state} /> <Sentence says={shown.means} />
          </p>
          <Actions shown={shown} readOnly={about.readOnly} done={decided} again={read} />
          <Facts shown={shown} />
          {shown.steps && <Steps steps={shown.steps} />}
          {shown.outcome && <Outcome outcome={shown.outcome} />}
          <Inner shown={shown} />
        </>
      )}
      {isThere && (
        <p class="read">
          {readAt !== undefined && `As it was at ${onClock(readAt)}. `}
          <button type="button" onClick={read} disabled={isUnderWay}>
            Read it again
          </button>
        </p>
      )}
    </section>
  );
}
