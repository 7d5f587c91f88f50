import { IdempotencyError } from '../core/errors.ts';
import { canonicalJson } from '../core/identity.ts';
import { isText, membersOf } from './members.ts';

/** What a source says of who calls. Members of a wrong type count as absent. */
export interface Credentials {
  readonly claims?: unknown;
  /** As a REST API's Lambda authorizer names the caller. */
  readonly principalId?: unknown;
  /** Users of a Cognito identity pool share one role and one session name. */
  readonly cognitoIdentityId?: unknown;
  readonly userArn?: unknown;
}

/** The authenticated caller, in a form that no other can have. Undefined: the credentials name nobody. */
export function callerOf({ claims, principalId, cognitoIdentityId, userArn }: Credentials): string | undefined {
  const who =
    byClaims(membersOf(claims)) ??
    named('authorizer', principalId) ??
    named('cognito', cognitoIdentityId) ??
    // The session name of an assumed role changes with every session of the same caller.
    named('iam', isText(userArn) && userArn.replace(/(:assumed-role\/[^/]+)\/.*/, '$1'));
  return who && canonicalJson(who);
}

/** An authorizer has let somebody in, and does not say whom: callers must not share records by accident. */
export function unnamed(): IdempotencyError {
  return new IdempotencyError(
    'CONFIG_INVALID',
    'the authorizer does not say who calls: give the option `principal`, or `principal: false` if callers shall share keys',
  );
}

// RFC 7519 has `sub` optional: tokens of a client credentials grant often have none.
function byClaims({ iss, sub, client_id, azp }: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  if (!isText(iss)) return undefined;
  if (isText(sub)) return ['jwt', iss, sub];
  return named('client_id', client_id, 'jwt', iss) ?? named('azp', azp, 'jwt', iss);
}

function named(kind: string, name: unknown, ...before: readonly string[]): readonly string[] | undefined {
  return isText(name) ? [...before, kind, name] : undefined;
}
