import { fileURLToPath } from 'node:url';
import { Stack } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import {
  configureIdempotency,
  grantIdempotency,
  grantOperate,
  IdempotencyMonitoring,
  IdempotencyTable,
  IdempotentFunction,
  IdempotentKafkaConsumer,
  IdempotentQueueConsumer,
  IdempotentStreamConsumer,
} from 'effectively-once/cdk';
import { beforeEach, describe, expect, it } from 'vitest';
import { testApp } from './assemblies.ts';

// What an app in JavaScript can pass. A refusal says what was wrong, what it got and what it expected.

let stack: Stack;
let table: IdempotencyTable;
beforeEach(() => {
  stack = new Stack(testApp(), 'Stack');
  table = new IdempotencyTable(stack, 'Table');
});
const entry = fileURLToPath(new URL('../../examples/orders/charge-order.ts', import.meta.url));
const existing = () =>
  new lambda.Function(stack, 'Existing', {
    code: lambda.Code.fromInline(' '),
    handler: 'index.handler',
    runtime: lambda.Runtime.NODEJS_24_X,
  });
const cfnTable = () =>
  new dynamodb.CfnTable(stack, 'Cfn', {
    keySchema: [{ attributeName: 'id', keyType: 'HASH' }],
    attributeDefinitions: [{ attributeName: 'id', attributeType: 'S' }],
  });
const role = () => new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });

describe('configureIdempotency refuses', () => {
  it.each<[string, () => unknown, string]>([
    ['an imported function', () => lambda.Function.fromFunctionName(stack, 'Theirs', 'theirs'), 'Stack/Theirs'],
    ['an alias', () => existing().addAlias('live'), 'Stack/Existing/Aliaslive'],
    ['a version', () => existing().currentVersion, 'Stack/Existing/CurrentVersion'],
    ['the resource of a function', () => existing().node.defaultChild, 'Stack/Existing/Resource'],
    ['no function', () => undefined, 'undefined'],
  ])('%s', (_, fn, got) => {
    expect(() => configureIdempotency(fn() as any, { table, scope: 'charge' })).toThrow(
      `the function is ${got}; expected a lambda.Function that is made in this app, not one that is imported, an alias or a version`,
    );
  });

  it.each([undefined, null])('the scope %s, by which it would be granted all', (scope: any) => {
    expect(() => configureIdempotency(existing(), { table, scope })).toThrow(
      '`scope` is not set; expected the name of the operation',
    );
  });

  it('no options', () => {
    expect(() => configureIdempotency(existing(), undefined as any)).toThrow('`table` is not set; expected');
  });
});

describe('a table', () => {
  it.each<[string, (given: any) => unknown]>([
    ['grantIdempotency', (given) => grantIdempotency(given, role())],
    ['grantOperate', (given) => grantOperate(given, role())],
    ['configureIdempotency', (given) => configureIdempotency(existing(), { table: given, scope: 's' })],
    ['IdempotentFunction', (given) => new IdempotentFunction(stack, 'F', { entry, table: given, scope: 's' })],
    ['a consumer', (given) => new IdempotentQueueConsumer(stack, 'F', { entry, table: given, scope: 's' })],
    [
      'IdempotencyMonitoring',
      (given) => {
        const fn = existing();
        configureIdempotency(fn, { table, scope: 's' });
        return new IdempotencyMonitoring(stack, 'M', { functions: [fn], table: given });
      },
    ],
  ])('is asked for by %s', (_, give) => {
    expect(() => give(undefined)).toThrow('`table` is not set; expected the table of idempotency records');
  });

  it.each<[string, (given: any) => unknown]>([
    ['grantIdempotency', (given) => grantIdempotency(given, role())],
    ['configureIdempotency', (given) => configureIdempotency(existing(), { table: given, scope: 's' })],
    ['IdempotentFunction', (given) => new IdempotentFunction(stack, 'F', { entry, table: given, scope: 's' })],
  ])('is no CfnTable: %s', (_, give) => {
    expect(() => give(cfnTable())).toThrow(
      '`table` is Stack/Cfn; expected a Table or TableV2, or of a resource `Table.fromTableArn`',
    );
  });

  it('needs somebody to be granted to', () => {
    expect(() => grantIdempotency(table, undefined as any)).toThrow(
      '`grantee` is not set; expected a role, a function or an account',
    );
  });
});

describe('a consumer asks for its source:', () => {
  const base = () => ({ entry, table, scope: 's' });
  const cluster = { clusterArn: 'arn:aws:kafka:eu-west-1:000000000000:cluster/trips/0-1' };

  it.each<[string, () => unknown, string]>([
    ['a stream', () => new IdempotentStreamConsumer(stack, 'C', base() as any), '`stream` is not set; expected a '],
    [
      'a cluster',
      () => new IdempotentKafkaConsumer(stack, 'C', { ...base(), topic: 'trips' } as any),
      '`cluster` is not set; expected `{ clusterArn }`',
    ],
    [
      'a topic',
      () => new IdempotentKafkaConsumer(stack, 'C', { ...base(), cluster } as any),
      '`topic` is not set; expected the name of a topic',
    ],
    ['all', () => new (IdempotentStreamConsumer as any)(stack, 'C'), '`table` is not set; expected'],
    [
      'a table beside it',
      () => new IdempotentStreamConsumer(stack, 'C', { stream: new kinesis.Stream(stack, 'S'), entry } as any),
      '`table` is not set; expected',
    ],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});

describe('IdempotencyMonitoring refuses', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'an imported function',
      () => lambda.Function.fromFunctionName(stack, 'Theirs', 'theirs'),
      /^Stack\/Theirs is not idempotent; expected an IdempotentFunction/,
    ],
    ['an alias', () => existing().addAlias('live'), /^Stack\/Existing\/Aliaslive is not idempotent; expected/],
  ])('%s', (_, fn, message) => {
    expect(() => new IdempotencyMonitoring(stack, 'M', { table, functions: [fn() as any] })).toThrow(message);
  });

  it('no functions', () => {
    expect(() => new IdempotencyMonitoring(stack, 'M', { table } as any)).toThrow('`functions` is not set; expected');
  });
});
