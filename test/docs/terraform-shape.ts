import type { Shape } from './shape.ts';

/** {@link Shape} of a Terraform module, as HashiCorp's parser gives it: every block is a list. */
export function shapeOfTerraform({ resource, data, locals: [locals] }: any): Shape {
  const [table] = resource.aws_dynamodb_table.records;
  const [made] = resource.aws_lambda_function.idempotent;
  const { queue, records } = data.aws_iam_policy_document;
  const scopes = Object.keys(locals.functions);
  const [statement] = records[0].statement;
  return {
    table: tableOf(table),
    functions: Object.fromEntries(scopes.map((scope) => [scope, functionOf(made, scope, locals)])),
    grants: Object.fromEntries(
      scopes.map((scope) => [`${scope}#*`, [...statement.actions.sort(), nullOf(statement, scope)]] as const),
    ),
    queue: queueOf(resource.aws_sqs_queue.orders[0]),
    deadLetters: queueOf(resource.aws_sqs_queue.dead_letters[0]),
    queueActions: queue[0].statement[0].actions.sort(),
    answers: resource.aws_lambda_event_source_mapping.orders[0].function_response_types,
  };
}

/** An expression as the parser gives it. */
const ref = (expression: string): string => `\${${expression}}`;

function tableOf(table: any): unknown {
  const kept = table.lifecycle[0].prevent_destroy ? 'Retain' : 'Delete';
  return {
    BillingMode: table.billing_mode,
    AttributeDefinitions: table.attribute.map(({ name, type }: any) => ({ AttributeName: name, AttributeType: type })),
    KeySchema: [{ AttributeName: table.hash_key, KeyType: 'HASH' }],
    TimeToLiveSpecification: { AttributeName: table.ttl[0].attribute_name, Enabled: table.ttl[0].enabled },
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: table.point_in_time_recovery[0].enabled },
    DeletionProtectionEnabled: table.deletion_protection_enabled,
    DeletionPolicy: kept,
    UpdateReplacePolicy: kept,
  };
}

function functionOf(made: any, scope: string, { timeout, functions }: any): unknown {
  const values: Record<string, string> = {
    [ref('aws_dynamodb_table.records.name')]: 'object', // a reference
    [ref('each.key')]: scope,
    [ref('each.value.retention')]: functions[scope].retention,
    [`${ref('local.timeout')}s`]: `${timeout}s`,
  };
  const variables = Object.entries<string>(made.environment[0].variables).map(([name, text]) => [name, values[text]]);
  return {
    Runtime: made.runtime,
    Architectures: made.architectures,
    Timeout: made.timeout === ref('local.timeout') ? timeout : made.timeout,
    variables: Object.fromEntries(variables),
  };
}

function nullOf({ condition: [like, isNull] }: any, scope: string): string {
  const isBound = like.test === 'ForAllValues:StringLike' && like.values[0] === `${ref('each.key')}#*`;
  return isBound && isNull.test === 'Null' ? `Null: ${isNull.values[0]}` : `${scope} is not bound`;
}

function queueOf(queue: any): unknown {
  const receives = /maxReceiveCount\s*=\s*(\d+)/.exec(queue.redrive_policy ?? '')?.[1];
  return {
    MessageRetentionPeriod: queue.message_retention_seconds,
    SqsManagedSseEnabled: queue.sqs_managed_sse_enabled,
    ...(queue.visibility_timeout_seconds && { VisibilityTimeout: queue.visibility_timeout_seconds }),
    ...(receives && { RedrivePolicy: Number(receives) }),
  };
}
