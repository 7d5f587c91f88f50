import { RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';

/** The examples import the package by its name, and a fresh clone has no build of it. */
export const BUNDLING = { esbuildArgs: { '--conditions': 'effectively-once-source,module' } };

interface TableOptions extends Pick<dynamodb.TableProps, 'stream' | 'timeToLiveAttribute'> {
  /** Of text, unless it says otherwise. */
  readonly sortKey?: string | dynamodb.Attribute;
}

/** A table of an example: it goes with its stack. */
export function tableOf(
  parent: Construct,
  id: string,
  partitionKey: string,
  { sortKey, ...options }: TableOptions = {},
): dynamodb.Table {
  const key = (name: string): dynamodb.Attribute => ({ name, type: dynamodb.AttributeType.STRING });
  return new dynamodb.Table(parent, id, {
    ...options,
    partitionKey: key(partitionKey),
    sortKey: typeof sortKey === 'string' ? key(sortKey) : sortKey,
    billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    removalPolicy: RemovalPolicy.DESTROY,
  });
}
