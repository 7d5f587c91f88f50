import { Annotations, Arn, ArnFormat, type IResource, Stack, Token, TokenComparison, Tokenization } from 'aws-cdk-lib';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct, Dependable } from 'constructs';
import { isScope, SCOPE } from '../src/environment.ts';
import { ACTIONS } from '../src/stores/dynamodb/item.ts';
import { ownResource, tableFacts, tableResource } from './facts.ts';
import { checkPresent, checkTable } from './present.ts';
import { expectKept } from './rules/rule.ts';
import { TABLE_RULES } from './rules/table.ts';

export interface GrantIdempotencyOptions {
  /**
   * The scopes whose records may be read and written; the records of all others are denied.
   * @default - all
   */
  readonly scopes?: readonly string[];
}

/**
 * Lets a grantee claim, complete and release in any table of records, also one that is imported, and nothing else. A principal that
 * can hold no policy, as an account, is named by the resource policy of the table. Throws if neither can hold the grant, and for
 * a table that cannot hold records; warns of a role that CDK is not to change.
 *
 * @example
 * grantIdempotency(dynamodb.Table.fromTableName(this, 'Records', 'records'), role, { scopes: ['charge'] });
 */
export function grantIdempotency(
  table: dynamodb.ITable,
  grantee: iam.IGrantable,
  { scopes }: GrantIdempotencyOptions = {},
): iam.Grant {
  return granted(table, grantee, ACTIONS, scopes && conditionsOf(scopes));
}

/** A grant of actions on any table that can hold records. */
export function granted(
  table: dynamodb.ITable,
  grantee: iam.IGrantable,
  actions: readonly string[],
  conditions?: Record<string, Record<string, unknown>>,
): iam.Grant {
  checkTable(table);
  checkPresent({ grantee }, { grantee: 'a role, a function or an account' });
  const resource = tableResource(table);
  if (resource) expectKept(TABLE_RULES, tableFacts(resource), `${table.node.path}: `);
  const request = { grantee, actions: [...actions], resourceArns: [table.tableArn], conditions };
  const owned = table as dynamodb.ITable & iam.IResourceWithPolicy;
  const grant =
    ownResource(table) && !isService(grantee)
      ? iam.Grant.addToPrincipalOrResource({ ...request, resource: owned, resourceSelfArns: ['*'] })
      : iam.Grant.addToPrincipal(request);
  const wasDropped = isDropped(grant, grantee);
  if (!grant.success || (wasDropped && isOfOtherAccount(grantee, table))) throw new Error(refusalOf(table, grantee));
  if (wasDropped) warnOfNothing(table, grantee, actions);
  table.encryptionKey?.grantEncryptDecrypt(grantee);
  return grant;
}

/** DynamoDB takes none in a resource policy. */
function isService({ grantPrincipal }: iam.IGrantable): boolean {
  return 'Service' in grantPrincipal.policyFragment.principalJson;
}

/** Whether no policy holds a grant that CDK calls a success: one to a role that it may not change. */
function isDropped(grant: iam.Grant, { grantPrincipal }: iam.IGrantable): boolean {
  if (!Construct.isConstruct(grantPrincipal) || iam.Role.isRole(grantPrincipal)) return false;
  return Dependable.of(grant).dependencyRoots.length === 0;
}

function isOfOtherAccount({ grantPrincipal }: iam.IGrantable, table: dynamodb.ITable): boolean {
  const { principalAccount } = grantPrincipal;
  return (
    principalAccount !== undefined &&
    Token.compareStrings(principalAccount, Stack.of(table).account) === TokenComparison.DIFFERENT
  );
}

function refusalOf(table: dynamodb.ITable, grantee: iam.IGrantable): string {
  const got = `the grantee is ${grantee.grantPrincipal}`;
  return isService(grantee)
    ? `${got}; expected a role, a function or an account: DynamoDB takes no service in a resource policy`
    : `${got}, which can hold no policy, and no policy can be added to ${table.node.path}; expected a role or a function, or a table of this app`;
}

function warnOfNothing(table: dynamodb.ITable, grantee: iam.IGrantable, actions: readonly string[]): void {
  Annotations.of(Construct.isConstruct(grantee) ? grantee : table).addWarningV2(
    'effectively-once:immutable-role',
    `${grantee.grantPrincipal} is not to be changed, so nothing was granted: it must be allowed ${actions.join(', ')} on ${table.node.path}.`,
  );
}

/** How the runtime is to name the table: by its ARN, unless it is known to be of the function's account and Region. */
export function nameFor(table: dynamodb.ITable, user: IResource): string {
  const { account, region } = placeOf(table);
  return isSame(account, user.env.account) && isSame(region, user.env.region) ? table.tableName : table.tableArn;
}

/** Says that the owner of a table in another account has to allow the user what was granted. */
export function warnOfOwner(table: dynamodb.ITable, user: IResource): void {
  const { account = '' } = placeOf(table);
  const isTheirs = Token.compareStrings(account, user.env.account) === TokenComparison.DIFFERENT;
  if (!isTheirs || table.node.defaultChild) return;
  Annotations.of(user).addWarningV2(
    'effectively-once:other-account',
    `${table.node.path} is of another account: its resource policy must allow this function ${ACTIONS.join(', ')}.`,
  );
}

/** Where a table is. CDK takes an imported one to be where its stack is, whatever its ARN says. */
function placeOf(table: dynamodb.ITable): { readonly account?: string; readonly region?: string } {
  return table.node.defaultChild ? table.env : Arn.split(table.tableArn, ArnFormat.SLASH_RESOURCE_NAME);
}

// Two stacks that are not told their account and Region have the same pseudo parameters for them.
function isSame(left: string | undefined, right: string): boolean {
  return left !== undefined && (left === right || Token.compareStrings(left, right) === TokenComparison.SAME);
}

/**
 * Requests of which every key begins with one of the scopes. `ForAllValues` alone also matches a request without keys:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
function conditionsOf(scopes: readonly string[]): Record<string, Record<string, unknown>> {
  if (scopes.length === 0) throw new Error('`scopes` is empty; expected at least one, or to be left out');
  for (const scope of scopes) checkScope('scopes', scope);
  return {
    'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': scopes.map((scope) => `${scope}#*`) },
    Null: { 'dynamodb:LeadingKeys': 'false' },
  };
}

/** Throws for a name that the runtime would not take, or no policy can hold, as far as it is known at synthesis. */
export function checkScope(prop: string, scope: string): void {
  const fragments = Tokenization.reverseString(scope).mapTokens({ mapToken: () => 'x' });
  const known = fragments.join({ join: (left, right) => `${left ?? ''}${right ?? ''}` });
  if (isScope(known) && IN_POLICIES.test(known)) return;
  throw new Error(`\`${prop}\` is ${JSON.stringify(scope)}; expected ${SCOPE}, and of Latin-1`);
}

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
const IN_POLICIES = /^[\x20-\xff]*$/;
