import { canonicalJson } from '../core/canonical.ts';
import { parsed, that } from '../core/check.ts';
import { misuse } from '../core/errors.ts';
import { recordId as idOf, keyFault } from '../core/identity.ts';
import { isScope, SCOPE } from '../environment.ts';
import { INSTANCE } from '../sources/http-problem.ts';

/** What a record is identified by. */
export interface RecordIdentity {
  readonly scope: string;
  /**
   * The operation within its scope: of an HTTP request `['POST', '/orders/{id}']`, of an AppSync field `['Mutation', 'placeOrder']`, of
   * a WebSocket message its route.
   * @default - none, as for all other sources
   */
  readonly operation?: readonly string[];
  /**
   * The caller: as the option `principal` gives it, or as a source does: `['jwt', issuer, subject]`, `['jwt', issuer, 'client_id', id]`,
   * `['jwt', issuer, 'azp', id]`, `['authorizer', principalId]`, `['iam', arn]` (of a role without the session's name), `['cognito', identityId]`,
   * `['api-key', id]`, `['certificate', issuer, subject]`, `['api-key', id, 'certificate', issuer, subject]`.
   * @default - nobody
   */
  readonly principal?: string | readonly string[] | undefined;
  readonly key: string;
}

const isText = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '' && value.isWellFormed();
export const isTexts = (value: unknown): boolean => Array.isArray(value) && value.length > 0 && value.every(isText);

export const isPrincipal = (value: unknown): boolean => isText(value) || isTexts(value);

/** How the parts of an identity are read. */
export const IDENTITY = {
  scope: that<string>(isScope, SCOPE),
  operation: that<readonly string[]>(isTexts, 'a list of texts'),
  principal: that<string | readonly string[]>(isPrincipal, 'a text, or a list of texts'),
  key: that<string>((value) => isText(value) && !keyFault(`${value}`), 'a text of 1 to 255 printable characters'),
};

/**
 * The partition key of a record. Throws `CONFIG_INVALID` for an identity that lacks scope or key, or has something else.
 *
 * @example
 * await resolve(store, recordId({ scope: 'charge', key: 'order-1' }), { rerun: true });
 */
export function recordId(identity: RecordIdentity): string {
  const { scope, operation = [], principal, key } = parsed('recordId', identity, IDENTITY);
  return idOf(
    IDENTITY.scope(scope, 'scope', 'recordId'),
    operation,
    callerIn(principal),
    IDENTITY.key(key, 'key', 'recordId'),
  );
}

/** The caller as a record has it. */
export function callerIn(principal: RecordIdentity['principal']): string | undefined {
  return typeof principal === 'object' ? canonicalJson(principal) : principal;
}

/** Of a partition key. */
const MOST_BYTES = 2_048;

/** The id in what problem details call the `instance`; anything else is an id. Throws `MISUSE` for an instance that was cut, and what is no id. */
export function idIn(instance: string): string {
  const id = instance.startsWith(INSTANCE) ? decoded(instance) : instance;
  const bytes = Buffer.byteLength(id);
  if (bytes > 0 && bytes <= MOST_BYTES) return id;
  throw misuse(`the id of a record has 1 to 2,048 bytes; got ${bytes.toLocaleString('en-US')}`);
}

function decoded(instance: string): string {
  try {
    return decodeURIComponent(instance.slice(INSTANCE.length));
  } catch {
    throw misuse(`"${instance}" is no instance of a problem: part of it is missing`);
  }
}
