import type { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { FunctionFacts } from './rules/function.ts';
import { functionFactsOf, type Properties } from './rules/properties.ts';
import type { TableFacts } from './rules/table.ts';
import { isResource, templateOf } from './template.ts';

const TABLES = ['AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable'];

/** The resource of a table that is made in this app, or of which it is a replica. */
export function tableResource(table: IConstruct): CfnResource | undefined {
  const owners = [table, table.node.defaultChild, table.node.scope?.node.defaultChild];
  return owners.find((owner): owner is CfnResource => owner !== undefined && isResource(owner, ...TABLES));
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
  return functionFactsOf(templateOf(resource).Properties);
}
