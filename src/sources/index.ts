import { once } from '../core/once.ts';
import { http } from './http.ts';
import type { EventSource } from './source.ts';

const all = once(() => import('./all.ts'));

/** The first source that matches. That of HTTP APIs is there at once; the others are loaded when an event of theirs comes. */
export async function sourceOf(event: unknown): Promise<EventSource<any, any>> {
  return http.matches(event) ? http : (await all()).sourceOf(event);
}
