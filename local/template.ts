import { App } from 'aws-cdk-lib';
import { OrdersStack } from '../lib/orders-stack.ts';
import type { TableSchema } from './dynamodb.ts';

interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, any>;
}

/** The stack as it would be deployed: what runs on this machine is made from this, not described a second time. */
export interface Template {
  /** Logical ids of all resources of a type. */
  readonly idsOf: (type: string) => string[];
  readonly properties: (logicalId: string) => Record<string, any>;
  /** A function's environment, where `physical` gives what a reference stands for. */
  readonly environment: (logicalId: string, physical: (logicalId: string) => string) => Record<string, string>;
}

export function synthesize(): Template {
  // Handlers run from their sources here: nothing to bundle.
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const { stackName } = new OrdersStack(app, 'Orders');
  const resources: Record<string, Resource> = app.synth().getStackByName(stackName).template.Resources;
  const properties = (logicalId: string): Record<string, any> => resources[logicalId]?.Properties ?? {};
  return {
    idsOf: (type) => Object.keys(resources).filter((id) => resources[id]?.Type === type),
    properties,
    environment: (logicalId, physical) => {
      const variables: Record<string, string | { Ref: string }> = properties(logicalId)['Environment'].Variables;
      return Object.fromEntries(
        Object.entries(variables).map(([name, value]) => [
          name,
          typeof value === 'string' ? value : physical(value.Ref),
        ]),
      );
    },
  };
}

/** A table's schema in the words of DynamoDB's API. */
export function schemaOf(properties: Record<string, any>): TableSchema {
  const { KeySchema, AttributeDefinitions, BillingMode, StreamSpecification: stream } = properties;
  const StreamSpecification = stream && { ...stream, StreamEnabled: true };
  return { KeySchema, AttributeDefinitions, BillingMode, StreamSpecification };
}
