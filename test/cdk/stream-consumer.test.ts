import { fileURLToPath } from 'node:url';
import { Aspects, CfnParameter, Duration, Stack } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import {
  IdempotencyAudit,
  IdempotencyTable,
  IdempotentStreamConsumer,
  type IdempotentStreamConsumerProps,
} from 'effectively-once/cdk';
import { beforeEach, describe, expect, it } from 'vitest';
import { ENVIRONMENT } from '../../src/environment.ts';
import { testApp } from '../engine.ts';
import { expectationsOf } from './expectations.ts';

let app: ReturnType<typeof testApp>;
let stack: Stack;
let table: IdempotencyTable;
beforeEach(() => {
  app = testApp();
  stack = new Stack(app, 'Stack');
  table = new IdempotencyTable(stack, 'Table');
});
const entry = fileURLToPath(new URL('../../examples/readme/stream.ts', import.meta.url));
const { template, mappingHas, variablesHave, granted } = expectationsOf(() => stack);
const retentionIs = (seconds: number) => variablesHave({ [ENVIRONMENT.retention]: `${seconds}s` });

const HOUR_S = 3_600;
const kinesisOf = (hours = 24) => new kinesis.Stream(stack, 'Stream', { retentionPeriod: Duration.hours(hours) });
const tableOf = (stream?: dynamodb.StreamViewType) =>
  new dynamodb.Table(stack, 'Trips', { partitionKey: { name: 'tripId', type: dynamodb.AttributeType.STRING }, stream });
const IMPORTED = 'arn:aws:kinesis:eu-west-1:000000000000:stream/theirs';

const consume = (props: Partial<IdempotentStreamConsumerProps> = {}) =>
  new IdempotentStreamConsumer(stack, 'Consumer', {
    stream: props.stream ?? kinesisOf(),
    entry,
    table,
    scope: 'trips',
    ...props,
  });

describe('IdempotentStreamConsumer', () => {
  it('has only what is not done come again, bounds its retries, and says what Lambda gives up', () => {
    const { onFailureQueue } = consume();
    mappingHas({
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 10_000,
      MaximumRecordAgeInSeconds: 24 * HOUR_S,
      StartingPosition: 'TRIM_HORIZON',
      DestinationConfig: { OnFailure: { Destination: stack.resolve(onFailureQueue?.queueArn) } },
    });
    template().hasResourceProperties('AWS::SQS::Queue', {
      MessageRetentionPeriod: 14 * 24 * HOUR_S,
      SqsManagedSseEnabled: true,
    });
  });

  it('keeps outcomes as long as the stream keeps a record, and Lambda tries it again', () => {
    consume({ stream: kinesisOf(48), timeout: Duration.seconds(20), retryAttempts: 9 });
    retentionIs(48 * HOUR_S + 10 * 20);
  });

  it('counts its retries no longer than the oldest record is tried', () => {
    consume({ timeout: Duration.seconds(30), retryAttempts: 10_000, maxRecordAge: Duration.hours(1) });
    retentionIs(25 * HOUR_S);
  });

  it('bounds the age of a record also where the stream keeps it for a year', () => {
    consume({ stream: kinesisOf(8_760) });
    mappingHas({ MaximumRecordAgeInSeconds: 7 * 24 * HOUR_S });
  });

  it('consumes the stream of a table, which keeps a record for a day, and may read it', () => {
    const stream = tableOf(dynamodb.StreamViewType.NEW_IMAGE);
    consume({ stream, timeout: Duration.seconds(30) });
    mappingHas({ EventSourceArn: stack.resolve(stream.tableStreamArn), BisectBatchOnFunctionError: true });
    retentionIs(48 * HOUR_S); // and as long again, while it is tried
    granted(Match.arrayWith(['dynamodb:GetRecords']));
  });

  it('takes what it is told of an imported stream', () => {
    const stream = kinesis.Stream.fromStreamArn(stack, 'Theirs', IMPORTED);
    consume({ stream, streamRetention: Duration.hours(48), retryAttempts: 9, timeout: Duration.seconds(20) });
    retentionIs(48 * HOUR_S + 200);
  });

  it('takes a destination of yours, and makes no queue then', () => {
    const mine = new sqs.Queue(stack, 'Mine');
    const { onFailureQueue } = consume({ onFailure: new SqsDlq(mine) });
    expect(onFailureQueue).toBeUndefined();
    template().resourceCountIs('AWS::SQS::Queue', 1);
    mappingHas({ DestinationConfig: { OnFailure: { Destination: stack.resolve(mine.queueArn) } } });
  });

  it('encrypts its queue and its filters with keys of yours', () => {
    const key = new kms.Key(stack, 'Key');
    const filters = [lambda.FilterCriteria.filter({ partitionKey: lambda.FilterRule.isEqual('1') })];
    consume({ encryptionKey: key, filters, filterEncryption: key });
    template().hasResourceProperties('AWS::SQS::Queue', { KmsMasterKeyId: stack.resolve(key.keyArn) });
    mappingHas({ KmsKeyArn: stack.resolve(key.keyArn), FilterCriteria: { Filters: Match.anyValue() } });
  });

  it('invokes an alias that is kept ready, and exposes the mapping', () => {
    const { alias, mapping } = consume({ provisionedConcurrentExecutions: 3, parallelizationFactor: 2 });
    template().hasResourceProperties('AWS::Lambda::Alias', {
      Name: 'live',
      ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 3 },
    });
    mappingHas({ FunctionName: stack.resolve(alias?.functionName), ParallelizationFactor: 2 });
    expect(stack.resolve(mapping.eventSourceMappingId)).toEqual({ Ref: expect.stringContaining('Consumer') });
  });

  it('satisfies the audit', () => {
    consume();
    Aspects.of(stack).add(new IdempotencyAudit({ report: 'error' }));
    expect(() => app.synth()).not.toThrow();
  });
});

describe('IdempotentStreamConsumer fails', () => {
  it.each<[string, object, RegExp]>([
    ['on retries without end', { retryAttempts: -1 }, /`retryAttempts` is -1; expected 3 to 10000/],
    ['on fewer retries than a lease needs', { retryAttempts: 2 }, /`retryAttempts` is 2; expected 3 to 10000/],
    [
      'on an age at which the lease of a crashed run is not over',
      { timeout: Duration.minutes(2), maxRecordAge: Duration.minutes(3) },
      /`maxRecordAge` is 180; expected 240 to 604800s/,
    ],
    ['on an age above 7 days', { maxRecordAge: Duration.days(8) }, /`maxRecordAge` is 691200; expected 60 to 604800s/],
    [
      'on outcomes forgotten before records',
      { retention: Duration.hours(24) },
      /`retention` is 86400; expected at least 172800s/,
    ],
    ['without bisecting', { bisectBatchOnError: false }, /`bisectBatchOnError` is false; expected true/],
    [
      'without partial failures',
      { reportBatchItemFailures: false },
      /`reportBatchItemFailures` is false; expected true/,
    ],
    ['on a window that adds up', { tumblingWindow: Duration.seconds(5) }, /`tumblingWindow` is set; expected none/],
    [
      'on a retention that differs from that of the stream',
      { streamRetention: Duration.hours(48) },
      /`streamRetention` is 172800; expected 86400 s, as Stack\/Stream says/,
    ],
  ])('%s', (_, props, message) => {
    expect(() => consume(props)).toThrow(message);
  });

  it('on a table without a stream, on that of the records, and on a timestamp of a table', () => {
    const trips = tableOf();
    expect(() => consume({ stream: trips })).toThrow(/`stream` is Stack\/Trips, a table without a stream; expected/);
    stack = new Stack(app, 'Two');
    expect(() => consume({ stream: table })).toThrow(
      /`stream` is Stack\/Table, the table of records; expected another/,
    );
    stack = new Stack(app, 'Three');
    const stream = tableOf(dynamodb.StreamViewType.KEYS_ONLY);
    expect(() => consume({ stream, startingPositionTimestamp: 1 })).toThrow(
      /`startingPositionTimestamp` is set; expected/,
    );
  });

  it('if nobody says how long an imported stream keeps a record', () => {
    const stream = kinesis.Stream.fromStreamArn(stack, 'Theirs', IMPORTED);
    expect(() => consume({ stream })).toThrow(/`streamRetention` is not set; expected how long Stack\/Theirs keeps/);
  });

  it.each(['timeout', 'maxRecordAge', 'retention'] as const)('if its `%s` is only known when deployed', (name) => {
    const seconds = Duration.seconds(new CfnParameter(stack, 'P', { type: 'Number' }).valueAsNumber);
    expect(() => consume({ [name]: seconds })).toThrow(`\`${name}\` is not known at synthesis`);
  });

  it('on two destinations', () => {
    const onFailure = new SqsDlq(new sqs.Queue(stack, 'Mine'));
    const encryptionKey = new kms.Key(stack, 'Key');
    expect(() => consume({ onFailure, encryptionKey })).toThrow(
      /`encryptionKey` is set beside `onFailure`; expected one/,
    );
  });

  it('synthesis, if an override breaks a rule later', () => {
    const { mapping } = consume();
    const resource = mapping.node.defaultChild as lambda.CfnEventSourceMapping;
    resource.bisectBatchOnFunctionError = false;
    resource.addPropertyOverride('MaximumRetryAttempts', -1);
    resource.addPropertyDeletionOverride('DestinationConfig');
    resource.addPropertyDeletionOverride('MaximumRecordAgeInSeconds');
    expect(() => app.synth()).toThrow(
      /`bisectBatchOnError` is false.*`onFailure` is not set.*`retryAttempts` is -1.*`maxRecordAge` is -1/s,
    );
  });

  it('synthesis, if a rule is broken behind an alias', () => {
    const { mapping } = consume({ aliasName: 'live' });
    (mapping.node.defaultChild as lambda.CfnEventSourceMapping).functionResponseTypes = [];
    expect(() => app.synth()).toThrow(/`reportBatchItemFailures` is false/);
  });
});
