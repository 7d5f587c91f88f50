import type { VNode } from 'preact';
import type { About } from '../cli/console/wire.ts';
import type { State } from '../src/operator/state.ts';
import { Badge, Sentence } from './said.tsx';

/** What each state means. */
export function States({ states }: Pick<About, 'states'>): VNode {
  return (
    <details class="legend">
      <summary>What the states mean</summary>
      <dl>
        {(Object.entries(states) as [State, string][]).map(([state, means]) => (
          <div key={state}>
            <dt>
              <Badge state={state} />
            </dt>
            <dd>
              <Sentence says={means} />
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
