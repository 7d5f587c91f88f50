import { useEffect, useState } from 'preact/hooks';
import type { State } from '../src/operator/state.ts';

/** What is asked of the page; all of it stands in the fragment of the address. Empty texts: anything. */
export interface Route {
  readonly state: readonly State[];
  readonly key: string;
  readonly scope: string;
  readonly operation: string;
  readonly caller: string;
  readonly older: string;
  /** Names of those that must be absent: `operation`, `caller`. */
  readonly without: readonly string[];
  /** The record that is shown. */
  readonly record: string;
}

/** What needs an operator, and what may soon. */
const FIRST: Route = {
  state: ['in-doubt', 'stuck', 'in-progress'],
  key: '',
  scope: '',
  operation: '',
  caller: '',
  older: '',
  without: [],
  record: '',
};

export function routeIn(fragment: string): Route {
  const given = new URLSearchParams(fragment.replace(/^#/, ''));
  const texts = (name: 'state' | 'without') => given.get(name)?.split(',').filter(Boolean) ?? FIRST[name];
  const text = (name: string) => given.get(name) ?? '';
  return {
    state: texts('state') as State[],
    without: texts('without'),
    key: text('key'),
    scope: text('scope'),
    operation: text('operation'),
    caller: text('caller'),
    older: text('older'),
    record: text('record'),
  };
}

/** The address within the page. */
export function hrefOf(route: Route): string {
  const fragment = new URLSearchParams();
  for (const [name, value] of Object.entries(route)) {
    const text = String(value);
    if (text !== String(FIRST[name as keyof Route])) fragment.set(name, text);
  }
  return `#${fragment}`;
}

export function go(route: Route): void {
  location.hash = hrefOf(route);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeIn(location.hash));
  useEffect(() => {
    const follow = () => setRoute(routeIn(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return route;
}
