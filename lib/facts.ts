import type { CfnResource } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IConstruct } from 'constructs';
import { functionOf } from './mapping-facts.ts';
import type { FunctionFacts } from './rules/function.ts';
import { functionFactsOf, numberIn, type Properties } from './rules/properties.ts';
import type { TableFacts } from './rules/table.ts';
import { isResource, resolved, targetOf, templateOf } from './template.ts';

const TABLES = ['AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable'];

const isTable = (resource: IConstruct | undefined): resource is CfnResource =>
  resource !== undefined && isResource(resource, ...TABLES);

/** The resource of a table that is made in this app, or of which it is a replica, or that an imported one leads to. */
export function tableResource(table: ITable): CfnResource | undefined {
  return (
    ownResource(table) ?? [table.tableName, table.tableArn].map((name) => targetOf(resolved(table, name))).find(isTable)
  );
}

/** {@link tableResource} of a table that is not imported: one whose resource policy can be added to. */
export function ownResource(table: ITable): CfnResource | undefined {
  return [table, table.node.defaultChild, table.node.scope?.node.defaultChild].find(isTable);
}

export function tableFacts(resource: CfnResource): TableFacts {
  const { Properties, DeletionPolicy = 'Delete' } = templateOf(resource);
  const { KeySchema, AttributeDefinitions, TimeToLiveSpecification: ttl } = Properties;
  const copies: readonly Properties[] = Properties['Replicas'] ?? [Properties];
  const all = (isTrue: (copy: Properties) => unknown): boolean => copies.every((copy) => isTrue(copy) !== false);
  return {
    key: keyOf(KeySchema, AttributeDefinitions),
    ttl: ttl?.Enabled === true || typeof ttl?.Enabled === 'object' ? nameIn(ttl.AttributeName) : 'not set',
    isStrong: Properties['MultiRegionConsistency'] === 'STRONG',
    regions: copies.length,
    isRecoverable: all((copy) => copy['PointInTimeRecoverySpecification']?.PointInTimeRecoveryEnabled ?? false),
    isProtected: all((copy) => copy['DeletionProtectionEnabled'] ?? false),
    removalPolicy: DeletionPolicy,
  };
}

const nameIn = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function keyOf(schema: unknown, attributes: unknown): string | undefined {
  if (!Array.isArray(schema) || !Array.isArray(attributes)) return undefined;
  const names = schema.map(({ AttributeName }) => nameIn(AttributeName));
  if (names.includes(undefined)) return undefined;
  const typeOf = (name?: string) => attributes.find(({ AttributeName }) => AttributeName === name)?.AttributeType;
  return names.map((name) => `${name} (${typeOf(name)})`).join(', ');
}

export function functionFacts(resource: CfnResource): FunctionFacts {
  const ages = asyncConfigsOf(resource).flatMap(
    ({ MaximumEventAgeInSeconds: age }) => numberIn(age, LAMBDA_EVENT_AGE_S) ?? [],
  );
  return {
    ...functionFactsOf(templateOf(resource).Properties),
    ...(ages.length > 0 && { maxEventAge: Math.max(...ages) }),
  };
}

/** For how long Lambda keeps an asynchronous event if a configuration does not say. */
const LAMBDA_EVENT_AGE_S = 21_600;

/** What is said of the asynchronous events of a function, its versions and aliases, wherever in the app it stands. */
function asyncConfigsOf(resource: CfnResource): Properties[] {
  const all = resource.node.root.node.findAll().filter((node) => isResource(node, 'AWS::Lambda::EventInvokeConfig'));
  return all
    .map((config) => templateOf(config).Properties)
    .filter(({ FunctionName }) => functionOf(FunctionName) === resource);
}
