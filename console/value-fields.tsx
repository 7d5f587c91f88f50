import type { VNode } from 'preact';
import type { Shown } from '../cli/console/wire.ts';
import { Refused } from './server.ts';

/** What an operator enters as an outcome. */
export type Draft =
  | { readonly kind: 'json'; readonly text: string }
  | { readonly kind: 'response'; readonly status: string; readonly type: string; readonly body: string };

export function draftFor({ isResponse }: Shown): Draft {
  return isResponse
    ? { kind: 'response', status: '201', type: 'application/json', body: '' }
    : { kind: 'json', text: '' };
}

/** Throws for a text that is no JSON. */
export function valueIn(draft: Draft): unknown {
  if (draft.kind === 'json') return parsed(draft.text, 'the value');
  const { status, type, body } = draft;
  if (type === 'application/json') parsed(body, 'the body');
  return { statusCode: Number(status), headers: { 'content-type': type }, body };
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : '';
    throw new Refused({ code: 'INVALID', message: `${what} is no JSON (${why}); a text has quotes` });
  }
}

interface ValueFieldsProps {
  readonly draft: Draft;
  readonly change: (draft: Draft) => void;
}

const TYPES = ['application/json', 'text/plain', 'text/html'] as const;

export function ValueFields({ draft, change }: ValueFieldsProps): VNode {
  if (draft.kind === 'json')
    return <Text label="Value, as JSON" value={draft.text} change={(text) => change({ kind: 'json', text })} />;
  return (
    <>
      <div class="fields">
        <label class="field">
          <span class="label">Status</span>
          <input
            type="number"
            required
            min={100}
            max={599}
            value={draft.status}
            onInput={({ currentTarget }) => change({ ...draft, status: currentTarget.value })}
          />
        </label>
        <label class="field">
          <span class="label">Content-Type</span>
          <select value={draft.type} onChange={({ currentTarget }) => change({ ...draft, type: currentTarget.value })}>
            {TYPES.map((type) => (
              <option key={type}>{type}</option>
            ))}
          </select>
        </label>
      </div>
      <Text label="Body" value={draft.body} change={(body) => change({ ...draft, body })} />
    </>
  );
}

interface TextProps {
  readonly label: string;
  readonly value: string;
  readonly change: (value: string) => void;
}

function Text({ label, value, change }: TextProps): VNode {
  return (
    <label class="field">
      <span class="label">{label}</span>
      <textarea
        rows={6}
        required
        spellcheck={false}
        placeholder='{ "chargeId": "ch_1" }'
        value={value}
        onInput={({ currentTarget }) => change(currentTarget.value)}
      />
    </label>
  );
}
