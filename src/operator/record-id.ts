import { parsed, that } from '../core/check.ts';
import { canonicalJson, recordId as idOf } from '../core/identity.ts';

/** What a record is identified by. */
export interface Identity {
  readonly scope: string;
  /**
   * The operation within its scope: of an HTTP request `['POST', '/orders/{id}']`, of an AppSync field `['Mutation', 'placeOrder']`, of
   * a WebSocket message its route.
   * @default - none, as for all other sources
   */
  readonly operation?: readonly string[];
  /**
   * The caller: as the option `principal` gives it, or as a source does: `['jwt', issuer, subject]`, `['authorizer', principalId]`,
   * `['iam', arn]` (of a role without the session's name), `['cognito', identityId]`, `['api-key', id]`.
   * @default - nobody
   */
  readonly principal?: string | readonly string[];
  readonly key: string;
}

const isText = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((part) => typeof part === 'string');

const IDENTITY = {
  scope: that<string>(isText, 'a text'),
  operation: that<readonly string[]>(isTexts, 'a list of texts'),
  principal: that<string | readonly string[]>((value) => isText(value) || isTexts(value), 'a text, or a list of texts'),
  key: that<string>(isText, 'a text'),
};

/**
 * The partition key of a record. Throws `CONFIG_INVALID` for an identity that lacks scope or key, or has something else.
 *
 * @example
 * await resolve(store, recordId({ scope: 'charge', key: 'order-1' }), { rerun: true });
 */
export function recordId(identity: Identity): string {
  const { scope, operation = [], principal, key } = parsed('recordId', identity, IDENTITY);
  return idOf(
    IDENTITY.scope(scope, 'scope', 'recordId'),
    operation,
    typeof principal === 'object' ? canonicalJson(principal) : principal,
    IDENTITY.key(key, 'key', 'recordId'),
  );
}
