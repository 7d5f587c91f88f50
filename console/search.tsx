import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { State } from '../src/operator/state.ts';
import type { Route } from './route.ts';
import { NAMES } from './words.ts';

const STATES = Object.keys(NAMES) as State[];

const AGES = [
  ['', 'any time ago'],
  ['1m', 'over 1 minute ago'],
  ['15m', 'over 15 minutes ago'],
  ['1h', 'over 1 hour ago'],
  ['24h', 'over 1 day ago'],
  ['7d', 'over 7 days ago'],
] as const;

interface SearchProps {
  readonly route: Route;
  /** Is given what stands in the form. */
  readonly search: (route: Route) => void;
}

/** The form of a search, as the address has it until somebody changes it. */
export function Search({ route, search }: SearchProps): VNode {
  const [draft, setDraft] = useState(route);
  const { record: _, ...asked } = route;
  useEffect(() => setDraft(route), [JSON.stringify(asked)]);
  const change = (part: Partial<Route>): void => setDraft({ ...draft, ...part });
  const submit = (event: Event): void => {
    event.preventDefault();
    search({ ...draft, record: '' });
  };
  return (
    <search>
      <form class="search" onSubmit={submit}>
        <States chosen={draft.state} choose={(state) => change({ state })} />
        <div class="fields">
          <Field label="Key" value={draft.key} change={(key) => change({ key })} />
          <Field label="Scope" value={draft.scope} change={(scope) => change({ scope })} />
          <Field
            label="Operation"
            placeholder="POST /orders"
            value={draft.operation}
            change={(operation) => change({ operation })}
            none={noneOf('operation', draft, change)}
          />
          <Field
            label="Caller"
            value={draft.caller}
            change={(caller) => change({ caller })}
            none={noneOf('caller', draft, change)}
          />
          <label class="field">
            <span class="label">Claimed</span>
            <select value={draft.older} onChange={({ currentTarget }) => change({ older: currentTarget.value })}>
              {AGES.map(([older, text]) => (
                <option key={older} value={older}>
                  {text}
                </option>
              ))}
            </select>
          </label>
          <button class="primary" type="submit">
            Search
          </button>
        </div>
        <p class="hint">
          With scope, key, operation and caller, a search reads one record. Any other one reads the table.
        </p>
      </form>
    </search>
  );
}

interface StatesProps {
  readonly chosen: readonly State[];
  readonly choose: (states: readonly State[]) => void;
}

function States({ chosen, choose }: StatesProps): VNode {
  const toggle = (state: State): void =>
    choose(STATES.filter((one) => (one === state ? !chosen.includes(one) : chosen.includes(one))));
  return (
    <fieldset class="states">
      <legend>
        State <small>(none: any)</small>
      </legend>
      {STATES.map((state) => (
        <label key={state} class="pill" data-state={state}>
          <input type="checkbox" checked={chosen.includes(state)} onChange={() => toggle(state)} />
          {NAMES[state]}
        </label>
      ))}
    </fieldset>
  );
}

interface None {
  readonly isChosen: boolean;
  readonly choose: (isChosen: boolean) => void;
}

function noneOf(part: string, { without }: Route, change: (part: Partial<Route>) => void): None {
  const others = without.filter((one) => one !== part);
  return {
    isChosen: without.includes(part),
    choose: (isChosen) => change({ without: isChosen ? [...others, part] : others }),
  };
}

interface FieldProps {
  readonly label: string;
  readonly placeholder?: string;
  readonly value: string;
  readonly change: (value: string) => void;
  readonly none?: None;
}

function Field({ label, placeholder = 'any', value, change, none }: FieldProps): VNode {
  const isNone = none?.isChosen ?? false;
  return (
    <div class="field">
      <label>
        <span class="label">{label}</span>
        <input
          type="text"
          spellcheck={false}
          autocomplete="off"
          placeholder={isNone ? 'none' : placeholder}
          disabled={isNone}
          value={isNone ? '' : value}
          onInput={({ currentTarget }) => change(currentTarget.value)}
        />
      </label>
      {none && (
        <label class="none">
          <input
            type="checkbox"
            checked={none.isChosen}
            onChange={({ currentTarget }) => none.choose(currentTarget.checked)}
          />
          none<span class="unseen"> for {label.toLowerCase()}</span>
        </label>
      )}
    </div>
  );
}
