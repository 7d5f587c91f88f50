import type { VNode } from 'preact';
import type { Ended } from '../src/operator/inspect.ts';
import { Tree } from './tree.tsx';
import { several, sized } from './words.ts';

/** What the run ended with. */
export function Outcome({ outcome }: { readonly outcome: Ended }): VNode {
  return (
    <details class="ended" open>
      <summary>
        <h3>Outcome</h3> <small>{aboutOf(outcome)}</small>
      </summary>
      <Value ended={outcome} />
    </details>
  );
}

/** What is on record of a run that has not ended. */
export function Steps({ steps }: { readonly steps: Readonly<Record<string, Ended>> }): VNode {
  const entries = Object.entries(steps);
  return (
    <section class="steps" aria-labelledby="steps-title">
      <h3 id="steps-title">Steps on record</h3>
      {entries.length === 0 && <p class="hint">None. What the run did, it did outside of steps, or it did nothing.</p>}
      {entries.map(([name, step]) => (
        <details key={name} class="ended" open={entries.length <= 5}>
          <summary>
            <strong>{name}</strong> <small>{aboutOf(step)}</small>
          </summary>
          <Value ended={step} />
        </details>
      ))}
    </section>
  );
}

function Value({ ended }: { readonly ended: Ended }): VNode {
  switch (ended.kind) {
    case 'unavailable':
      return <p>Done, and there is no value to show: {ended.why}</p>;
    case 'error':
      return <Tree value={ended.error} />;
    case 'value':
      return <Tree value={ended.value} />;
  }
}

/** `value, json, 120 bytes`. */
function aboutOf({ kind, codec, bytes, apart }: Ended): string {
  const size = apart ? `kept apart in ${several(apart.items, 'item')}` : bytes === undefined ? undefined : sized(bytes);
  return [kind === 'unavailable' ? 'not available' : kind, codec, size].filter((one) => one !== undefined).join(', ');
}
