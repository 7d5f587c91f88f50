import { misuse } from '../core/errors.ts';
import { callerOf } from './caller.ts';
import { type Headed, headerValues, traceIn, type Values } from './http-request.ts';
import { keyOfHeader } from './idempotency-key.ts';
import { isPresent, isText, membersOf } from './members.ts';
import { plain } from './plain.ts';
import type { EventSource } from './source.ts';

interface AppSyncEvent {
  readonly arguments: unknown;
  readonly identity?: unknown;
  /** What the field hangs on; null at the top. */
  readonly source?: unknown;
  readonly request?: unknown;
  readonly info?: { readonly parentTypeName: string; readonly fieldName: string };
  // as Amplify has it
  readonly typeName?: string;
  readonly fieldName?: string;
}

const READS = new Set(['Query', 'Subscription']);

/** AppSync, a Lambda resolver. GraphQL has effects in the top-level fields of a mutation alone. */
export const appSync: EventSource<AppSyncEvent> = {
  ...plain,
  name: 'appsync',
  matches: (event) => isAppSync(event),
  operation: fieldOf,
  key: ({ request, arguments: args }) =>
    keyOfHeader(headerValues(headed(request), 'idempotency-key')) ??
    mutationIdIn(membersOf(args)['input']) ??
    mutationIdIn(args),
  isExempt,
  principal: ({ identity }) => {
    const { claims, issuer, sub, cognitoIdentityId, userArn } = membersOf(identity);
    const told = membersOf(claims);
    const all = { ...told, iss: issuer ?? told['iss'], sub: sub ?? told['sub'] };
    return callerOf({ claims: all, cognitoIdentityId, userArn }, isPresent(identity)); // of an API key it is null
  },
  payload: ({ arguments: args }) => withoutMutationId(args),
  trace: ({ request }) => traceIn(headed(request)),
  words: {
    key: 'the Idempotency-Key header, or clientMutationId,',
    missing: 'send an Idempotency-Key header, or a clientMutationId in the input',
    conflict: 'send the mutation again after a second',
    mismatch: 'other arguments: send a new key with a new mutation',
  },
};

/** A resolver that AppSync calls with many fields at once, which hang on other fields. */
export const appSyncBatch: EventSource<readonly AppSyncEvent[]> = {
  ...plain,
  name: 'appsync',
  matches: (event) => Array.isArray(event) && event.length > 0 && event.every(isAppSync),
  isExempt: (events) => events.every(isExempt),
  key: () => {
    throw misuse('a batch of mutations has no key: give `key`, or let AppSync invoke the function for each');
  },
  payload: (events) => events.map((event) => [...fieldOf(event), appSync.payload(event)]),
};

function isAppSync(event: unknown): event is AppSyncEvent {
  return fieldOf(membersOf(event)).every(isText) && 'arguments' in membersOf(event);
}

function fieldOf({ info, typeName, fieldName }: Partial<AppSyncEvent>): readonly string[] {
  return isPresent(info) ? [info.parentTypeName, info.fieldName] : [typeName ?? '', fieldName ?? ''];
}

function isExempt({ source, ...event }: AppSyncEvent): boolean {
  const [type = ''] = fieldOf(event);
  return READS.has(type) || (type !== 'Mutation' && Object.keys(membersOf(source)).length > 0);
}

function headed(request: unknown): Headed {
  return { headers: [membersOf(membersOf(request)['headers']) as Values] };
}

function mutationIdIn(input: unknown): string | undefined {
  const { clientMutationId } = membersOf(input);
  return isText(clientMutationId) ? clientMutationId : undefined;
}

/** The arguments without Relay's id, which names the attempt when the key comes from a header. */
function withoutMutationId(args: unknown): unknown {
  const strip = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const { clientMutationId, ...others } = value as Record<string, unknown>;
    return others;
  };
  const { input, ...others } = membersOf(strip(args));
  return { ...others, input: strip(input) };
}
