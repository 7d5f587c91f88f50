import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { About } from '../cli/console/wire.ts';
import { go, routeIn } from './route.ts';

/** Which table is shown, and a way to a record whose id is known. */
export function Header({ about }: { readonly about: About | undefined }): VNode {
  return (
    <header>
      <a class="home" href="/">
        <img src="icon.svg" alt="" width="36" height="36" />
        <h1>
          effectively-once <span>console</span>
        </h1>
      </a>
      {about && (
        <>
          <p class="table">
            <strong>{about.table}</strong>
            <span>{[about.region, about.endpoint].filter(Boolean).join(', ')}</span>
            {about.readOnly && <em class="read-only">read-only</em>}
          </p>
          <OpenById />
        </>
      )}
    </header>
  );
}

function OpenById(): VNode {
  const [id, setId] = useState('');
  const submit = (event: Event): void => {
    event.preventDefault();
    go({ ...routeIn(location.hash), record: id.trim() });
  };
  return (
    <form class="by-id" aria-label="One record" onSubmit={submit}>
      <label>
        <span class="unseen">Record id, or the instance of a problem</span>
        <input
          type="text"
          required
          spellcheck={false}
          autocomplete="off"
          placeholder="Record id, or urn:effectively-once:…"
          value={id}
          onInput={({ currentTarget }) => setId(currentTarget.value)}
        />
      </label>
      <button type="submit">Open</button>
    </form>
  );
}
