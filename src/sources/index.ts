import { lazy } from '../core/lazy.ts';
import { http } from './http.ts';
import type { EventSource } from './source.ts';

const all = lazy(() => import('./all.ts'));

/** The first source that matches. That of HTTP APIs is there at once; the others are loaded when an event of theirs comes. */
export function sourceOf(event: unknown): EventSource<any, any> | Promise<EventSource<any, any>> {
  return http.matches(event) ? http : all().then(({ sourceOf }) => sourceOf(event));
}
