import { callerOf, unnamed } from './caller.ts';
import { keyOfHeader } from './idempotency-key.ts';
import { isText, membersOf } from './members.ts';
import { plain } from './plain.ts';
import type { EventSource } from './source.ts';

interface AppSyncEvent {
  readonly arguments: unknown;
  readonly identity?: unknown;
  /** What the field hangs on; null at the top. */
  readonly source?: unknown;
  readonly request?: unknown;
  readonly info: { readonly parentTypeName: string; readonly fieldName: string };
}

const READS = new Set(['Query', 'Subscription']);

/** AppSync, a Lambda resolver. GraphQL has effects in the top-level fields of a mutation alone. */
export const appSync: EventSource<AppSyncEvent> = {
  ...plain,
  name: 'appsync',
  matches: (event) => {
    const { parentTypeName, fieldName } = membersOf(membersOf(event)['info']);
    return isText(parentTypeName) && isText(fieldName);
  },
  operation: ({ info: { parentTypeName, fieldName } }) => [parentTypeName, fieldName],
  key: ({ request, arguments: args }) =>
    keyOfHeader(headerIn(request, 'idempotency-key')) ?? mutationIdIn(membersOf(args)['input']) ?? mutationIdIn(args),
  isExempt: ({ info: { parentTypeName }, source }) => READS.has(parentTypeName) || isPresent(source),
  principal: ({ identity }) => {
    const { claims, issuer, sub, cognitoIdentityId, userArn } = membersOf(identity);
    const told = membersOf(claims);
    const caller = callerOf({
      claims: { ...told, iss: issuer ?? told['iss'], sub: sub ?? told['sub'] },
      cognitoIdentityId,
      userArn,
    });
    if (!caller && isPresent(identity)) throw unnamed(); // of an API key it is null
    return caller;
  },
  payload: ({ arguments: args }) => withoutMutationId(args),
  formerPayload: (event) => event,
  trace: ({ request }) => headerIn(request, 'traceparent')[0] ?? headerIn(request, 'x-amzn-trace-id')[0],
  words: {
    key: 'the Idempotency-Key header, or clientMutationId,',
    missing: 'send an Idempotency-Key header, or a clientMutationId in the input',
    conflict: 'send the mutation again after a second',
    mismatch: 'other arguments: send a new key with a new mutation',
  },
};

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function headerIn(request: unknown, name: string): unknown[] {
  const headers = Object.entries(membersOf(membersOf(request)['headers']));
  return headers.filter(([header]) => header.toLowerCase() === name).map(([, value]) => value);
}

function mutationIdIn(input: unknown): string | undefined {
  const { clientMutationId } = membersOf(input);
  return isText(clientMutationId) ? clientMutationId : undefined;
}

/** The arguments without Relay's id, which names the attempt when the key comes from a header. */
function withoutMutationId(args: unknown): unknown {
  const { clientMutationId, ...others } = membersOf(args);
  const { clientMutationId: _, ...input } = membersOf(others['input']);
  return 'input' in others ? { ...others, input } : others;
}
