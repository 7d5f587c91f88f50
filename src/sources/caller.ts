import { writtenOnce } from '../core/canonical.ts';
import { IdempotencyError } from '../core/errors.ts';
import { isPresent, isText } from './members.ts';

/** What a source says of who calls. */
export interface Credentials {
  readonly claims?: Readonly<Record<string, unknown>>;
  /** As the Lambda authorizer of a REST API names the caller. */
  readonly principalId?: unknown;
  /** Users of a Cognito identity pool share one role and one session name. */
  readonly cognitoIdentityId?: unknown;
  readonly userArn?: unknown;
}

/**
 * The authenticated caller, in a form that no other can have. Throws `CONFIG_INVALID` if somebody was authenticated and the credentials
 * do not say who: callers must not share records by accident.
 */
export function callerOf(
  { claims = {}, principalId, cognitoIdentityId, userArn }: Credentials,
  isAuthenticated: boolean,
): string | undefined {
  const who =
    byClaims(claims) ??
    named('authorizer', principalId) ??
    named('cognito', cognitoIdentityId) ??
    // The session name of an assumed role changes with every session of the same caller.
    named('iam', isText(userArn) ? userArn.replace(/(:assumed-role\/[^/]+)\/.*/, '$1') : undefined);
  if (who) return writtenOnce(who);
  if (isAuthenticated) throw new IdempotencyError('CONFIG_INVALID', UNNAMED);
  return undefined;
}

const UNNAMED =
  'the authorizer does not say who calls: give the option `principal`, or `principal: false` if callers shall share keys';

// RFC 7519 has `sub` optional: tokens of a client credentials grant often have none. One that is there and names nobody is no reason
// to take the users of a client for one.
function byClaims({ iss, sub, client_id, azp }: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  if (!isText(iss)) return undefined;
  if (isPresent(sub)) return named('jwt', iss, sub);
  return named('jwt', iss, 'client_id', client_id) ?? named('jwt', iss, 'azp', azp);
}

/** The parts as texts; undefined, if the last names nobody. */
function named(...parts: readonly unknown[]): readonly string[] | undefined {
  const name = parts.at(-1);
  return isText(name) || Number.isFinite(name) ? parts.map(String) : undefined;
}
