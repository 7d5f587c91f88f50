import { appSync, appSyncBatch } from './appsync.ts';
import { BATCHED } from './batched.ts';
import { eventBridge } from './event-bridge.ts';
import { http } from './http.ts';
import { plain } from './plain.ts';
import { s3 } from './s3.ts';
import { sns } from './sns.ts';
import type { EventSource } from './source.ts';
import { vpcLattice } from './vpc-lattice.ts';
import { webSocket } from './web-socket.ts';

/** The first that matches is the source. */
const SOURCES = [
  http,
  vpcLattice,
  webSocket,
  appSync,
  appSyncBatch,
  sns,
  s3,
  eventBridge,
  ...BATCHED,
  plain,
] as readonly EventSource<any, any>[];

/** {@link sourceOf} of `index.ts`, at once. */
export function sourceOf(event: unknown): EventSource<any, any> {
  return SOURCES.find((source) => source.matches(event)) as EventSource<any, any>;
}

/** Whether events of that source are answered by a response with a status. */
export function isAnsweredByResponse(name: string | undefined): boolean {
  return SOURCES.some((source) => source.name === name && source.refuse !== undefined);
}
