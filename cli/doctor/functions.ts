import { type IAMClient, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import {
  type FunctionConfiguration,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  paginateListFunctions,
} from '@aws-sdk/client-lambda';
import { FUNCTION_RULES } from '../../lib/rules/function.ts';
import { functionFactsOf, type Properties, variablesOf } from '../../lib/rules/properties.ts';
import { broken } from '../../lib/rules/rule.ts';
import { ENVIRONMENT } from '../../src/environment.ts';
import { ACTIONS } from '../../src/stores/dynamodb/item.ts';
import type { Report } from './findings.ts';

/** The functions of these names, or all that name the table in their environment. */
export async function functionsOf(
  client: LambdaClient,
  report: Report,
  { table, names }: { readonly table: string; readonly names: readonly string[] | undefined },
): Promise<readonly FunctionConfiguration[]> {
  const at = names ? `function ${names.join(', ')}` : 'functions';
  if (names) {
    const asked = names.map((FunctionName) =>
      report.ask(`function ${FunctionName}`, 'it', 'lambda:GetFunctionConfiguration', () =>
        client.send(new GetFunctionConfigurationCommand({ FunctionName })),
      ),
    );
    return (await Promise.all(asked)).flatMap((one) => one ?? []);
  }
  const found = await report.ask(at, 'they', 'lambda:ListFunctions', async () => {
    const all: FunctionConfiguration[] = [];
    for await (const { Functions = [] } of paginateListFunctions({ client }, {})) all.push(...Functions);
    return all.filter((one) => isOf(table, one));
  });
  if (found?.length === 0)
    report.looked.push({
      at,
      came: 'unchecked',
      text: `none has ${ENVIRONMENT.table}=${table}; name them by --function`,
    });
  return found ?? [];
}

function isOf(table: string, one: FunctionConfiguration): boolean {
  const named: unknown = variablesOf(one as Properties)[ENVIRONMENT.table];
  const nameOf = (text: string): string => text.replace(/^arn:.*:table\//, '');
  return typeof named === 'string' && nameOf(named) === nameOf(table);
}

/** A function as the rules know it, with what limits it. */
export async function lookAtFunction(
  client: LambdaClient,
  report: Report,
  configuration: FunctionConfiguration,
): Promise<Properties> {
  const { FunctionName } = configuration;
  const at = `function ${FunctionName}`;
  const fine = 'runtime and timeout: as they should be';
  report.judge(at, broken(FUNCTION_RULES, functionFactsOf(configuration as Properties)), fine);
  const limit = await report.ask(at, 'its reserved concurrency', 'lambda:GetFunctionConcurrency', () =>
    client.send(new GetFunctionConcurrencyCommand({ FunctionName })),
  );
  const reserved = limit?.ReservedConcurrentExecutions;
  return { ...configuration, ...(reserved !== undefined && { ReservedConcurrentExecutions: reserved }) };
}

/** Whether the role of a function may do on the table what the runtime does, in its own scope. */
export async function lookAtRole(
  client: IAMClient,
  report: Report,
  { FunctionName, Role, Environment }: FunctionConfiguration,
  tableArn: string,
): Promise<void> {
  const at = `function ${FunctionName}`;
  const scope = Environment?.Variables?.[ENVIRONMENT.scope] ?? FunctionName;
  const answer = await report.ask(at, 'its role', 'iam:SimulatePrincipalPolicy', () =>
    client.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn: Role,
        ActionNames: [...ACTIONS],
        ResourceArns: [tableArn],
        ContextEntries: [
          { ContextKeyName: 'dynamodb:LeadingKeys', ContextKeyType: 'stringList', ContextKeyValues: [`${scope}#`] },
        ],
      }),
    ),
  );
  if (!answer) return;
  const denied = (answer.EvaluationResults ?? []).filter(({ EvalDecision }) => EvalDecision !== 'allowed');
  const actions = denied.map(({ EvalActionName }) => EvalActionName).join(', ');
  const text = `its role may not ${actions} in the scope "${scope}"; expected what IdempotencyTable.grantIdempotency gives`;
  report.judge(at, denied.length > 0 ? [{ rule: 'role', text }] : [], 'its role may do what the runtime does');
}
