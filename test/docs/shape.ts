/** What a stack does for idempotency, whoever wrote it: compared between our constructs and the templates of `docs/without-constructs.md`. */
export interface Shape {
  readonly table: unknown;
  /** By scope. */
  readonly functions: Readonly<Record<string, unknown>>;
  /** What functions may do to the table, by scope. */
  readonly grants: Readonly<Record<string, readonly string[]>>;
  readonly queue: unknown;
  readonly deadLetters: unknown;
  readonly queueActions: readonly string[];
  readonly answers: unknown;
}

type Resource = { readonly Type: string; readonly Properties: any; readonly [attribute: string]: unknown };

/** https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaSQSQueueExecutionRole.html */
const POLLS = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

export function shapeOf(template: { readonly Resources: Readonly<Record<string, Resource>> }): Shape {
  const all = Object.values(template.Resources);
  const of = (type: string) => all.filter(({ Type }) => Type === type);
  const [table] = of('AWS::DynamoDB::Table') as [Resource];
  const functions = of('AWS::Lambda::Function').filter(({ Properties }) => Properties.Environment);
  const [queue] = of('AWS::SQS::Queue').filter(({ Properties }) => Properties.RedrivePolicy) as [Resource];
  const [deadLetters] = of('AWS::SQS::Queue').filter(({ Properties }) => !Properties.RedrivePolicy) as [Resource];
  const [mapping] = of('AWS::Lambda::EventSourceMapping') as [Resource];
  const statements = statementsOf(all);
  const isPolled = all.some(({ Properties }) =>
    /SQSQueueExecutionRole/.test(JSON.stringify(Properties?.ManagedPolicyArns)),
  );
  const { DeletionPolicy, UpdateReplacePolicy, Properties } = table;
  return {
    table: { ...Properties, DeletionPolicy, UpdateReplacePolicy },
    functions: Object.fromEntries(functions.map(functionOf)),
    grants: grantsOf(statements),
    queue: { ...queue.Properties, RedrivePolicy: queue.Properties.RedrivePolicy.maxReceiveCount },
    deadLetters: deadLetters.Properties,
    queueActions: [...new Set([...statements.flatMap(actionsOf).filter(isOfQueue), ...(isPolled ? POLLS : [])])].sort(),
    answers: mapping.Properties.FunctionResponseTypes,
  };
}

const isOfQueue = (action: string): boolean => action.startsWith('sqs:');
const actionsOf = ({ Action }: any): string[] => [Action].flat();

function functionOf({ Properties }: Resource): readonly [scope: string, unknown] {
  const { Runtime, Architectures, Timeout, Environment } = Properties;
  const variables = { ...Environment.Variables, IDEMPOTENCY_TABLE: typeof Environment.Variables.IDEMPOTENCY_TABLE };
  return [variables.IDEMPOTENCY_SCOPE, { Runtime, Architectures, Timeout, variables }];
}

function statementsOf(all: readonly Resource[]): any[] {
  return all.flatMap(({ Type, Properties }) => {
    if (Type === 'AWS::IAM::Policy') return Properties.PolicyDocument.Statement;
    if (Type !== 'AWS::IAM::Role') return [];
    return (Properties.Policies ?? []).flatMap(({ PolicyDocument }: any) => PolicyDocument.Statement);
  });
}

/** The actions for each scope, and proof that a request without keys is not meant. */
function grantsOf(statements: readonly any[]): Record<string, string[]> {
  const grants = statements.filter((statement) =>
    actionsOf(statement).some((action) => action.startsWith('dynamodb:')),
  );
  return Object.fromEntries(
    grants.flatMap((statement) =>
      statement.Condition['ForAllValues:StringLike']['dynamodb:LeadingKeys'].map((keys: string) => [
        keys,
        [...actionsOf(statement).sort(), `Null: ${statement.Condition.Null['dynamodb:LeadingKeys']}`],
      ]),
    ),
  );
}
