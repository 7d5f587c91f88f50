import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { State } from '../src/operator/state.ts';
import { atTime, away, NAMES, sentence } from './words.ts';

export function Badge({ state }: { readonly state: State }): VNode {
  return (
    <span class="badge" data-state={state}>
      {NAMES[state]}
    </span>
  );
}

/** An instant, and how far away it is; counted on while it is shown. */
export function When({ at, isBare = false }: { readonly at: number; readonly isBare?: boolean }): VNode {
  const now = useNow(isBare ? 15_000 : 1_000);
  return (
    <time dateTime={new Date(at).toISOString()} title={atTime(at)}>
      {!isBare && `${atTime(at)}, `}
      {away(at, now)}
    </time>
  );
}

function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** With what stands between backticks as code. */
export function Sentence({ says }: { readonly says: string }): VNode {
  const parts = sentence(says).split('`');
  return <span>{parts.map((text, n) => (n % 2 === 0 ? text : <code key={text}>{text}</code>))}</span>;
}

interface ProblemProps {
  readonly says: string;
  readonly children?: ComponentChildren;
}

/** What went wrong. Read out at once, and brought into view. */
export function Problem({ says, children }: ProblemProps): VNode {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.scrollIntoView({ block: 'nearest' }), [says]);
  return (
    <div class="problem" role="alert" ref={place}>
      <p>
        <Sentence says={says} />
      </p>
      {children}
    </div>
  );
}
