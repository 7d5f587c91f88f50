import { eventBridge } from './event-bridge.ts';
import { http } from './http.ts';
import { plain } from './plain.ts';
import type { EventSource } from './source.ts';

/** The first that matches is the source. */
const SOURCES = [http, eventBridge, plain] as readonly EventSource[];

export function sourceOf(event: unknown): EventSource<unknown> {
  return SOURCES.find((source) => source.matches(event)) as EventSource<unknown>;
}
