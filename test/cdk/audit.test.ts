import { Aspects, Annotations as CoreAnnotations, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import {
  KinesisConsumerEventSource,
  KinesisEventSource,
  type KinesisEventSourceProps,
  ManagedKafkaEventSource,
  type ManagedKafkaEventSourceProps,
  SqsDlq,
  SqsEventSource,
} from 'aws-cdk-lib/aws-lambda-event-sources';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { IdempotencyAudit, type IdempotencyAuditProps, IdempotencyTable } from 'effectively-once/cdk';
import { beforeEach, describe, expect, it } from 'vitest';
import { OrdersStack } from '../../lib/orders-stack.ts';
import { FUNCTION_RULES } from '../../lib/rules/function.ts';
import { KAFKA_RULES } from '../../lib/rules/kafka.ts';
import { QUEUE_RULES } from '../../lib/rules/queue.ts';
import { STREAM_RULES } from '../../lib/rules/stream.ts';
import { TABLE_ADVICE, TABLE_RULES } from '../../lib/rules/table.ts';
import { ENVIRONMENT } from '../../src/environment.ts';
import { testApp } from './assemblies.ts';

let stack: Stack;
beforeEach(() => {
  stack = new Stack(testApp(), 'Stack');
});

/** The rules that are reported, as `Queue: receive-count`: each once, with what is wrong. */
function reported(props?: IdempotencyAuditProps, of: Stack = stack): string[] {
  Aspects.of(of).add(new IdempotencyAudit(props));
  const annotations = Annotations.fromStack(of);
  const all = [...annotations.findWarning('*', any), ...annotations.findError('*', any)];
  return all.flatMap(({ entry }) => /effectively-once:([\w-]+)/.exec(String(entry.data))?.[1] ?? []).sort();
}
const any = Match.anyValue();

const consumer = (props: Partial<lambda.FunctionProps> = {}) =>
  new lambda.Function(stack, 'Function', {
    code: lambda.Code.fromInline(' '),
    handler: 'index.handler',
    runtime: lambda.Runtime.NODEJS_24_X,
    ...props,
  });
const DEAD_LETTERS = { maxReceiveCount: 5 };
const queue = (props: sqs.QueueProps = {}, dead: sqs.QueueProps = { retentionPeriod: Duration.days(4) }) =>
  new sqs.Queue(stack, 'Queue', {
    deadLetterQueue: { queue: new sqs.Queue(stack, 'Dead', dead), ...DEAD_LETTERS },
    ...props,
  });
const REPORTING = { reportBatchItemFailures: true };
const idempotent = (name: string, retention = '30d') => ({
  environment: { [ENVIRONMENT.table]: name, [ENVIRONMENT.retention]: retention },
});

describe('IdempotencyAudit, of a queue', () => {
  it.each<[string, () => unknown, readonly string[]]>([
    ['that fits', () => consumer().addEventSource(new SqsEventSource(queue(), REPORTING)), []],
    ['without partial failures', () => consumer().addEventSource(new SqsEventSource(queue())), ['partial-failures']],
    [
      'without a dead-letter queue',
      () => consumer().addEventSource(new SqsEventSource(queue({ deadLetterQueue: undefined }), REPORTING)),
      ['dead-letter-queue'],
    ],
    [
      'that is visible too early',
      () => consumer({ timeout: Duration.seconds(6) }).addEventSource(new SqsEventSource(queue(), REPORTING)),
      ['visibility-timeout'],
    ],
    [
      'that is visible too early for its window',
      () =>
        consumer({ timeout: Duration.seconds(5) }).addEventSource(
          new SqsEventSource(queue(), { ...REPORTING, maxBatchingWindow: Duration.seconds(1) }),
        ),
      ['visibility-timeout'],
    ],
    [
      'that gives up early',
      () => {
        const dead = { queue: new sqs.Queue(stack, 'D'), maxReceiveCount: 4 };
        consumer().addEventSource(new SqsEventSource(queue({ deadLetterQueue: dead }), REPORTING));
      },
      ['receive-count'],
    ],
    [
      'that counts further than SQS does',
      () => {
        const dead = {
          queue: new sqs.Queue(stack, 'D', { retentionPeriod: Duration.days(4) }),
          maxReceiveCount: 1_001,
        };
        consumer().addEventSource(new SqsEventSource(queue({ deadLetterQueue: dead }), REPORTING));
      },
      ['receive-count'],
    ],
    [
      'whose dead letters are forgotten first',
      () => consumer().addEventSource(new SqsEventSource(queue({}, { retentionPeriod: Duration.days(1) }), REPORTING)),
      ['dead-letter-retention'],
    ],
    [
      'whose records are forgotten first',
      () => consumer(idempotent('records', '7d')).addEventSource(new SqsEventSource(queue(), REPORTING)),
      ['retention'],
    ],
    [
      'whose records are kept for a day, by default, without a dead-letter queue',
      () =>
        consumer({ environment: { [ENVIRONMENT.table]: 'records' } }).addEventSource(
          new SqsEventSource(queue({ deadLetterQueue: undefined }), REPORTING),
        ),
      ['dead-letter-queue', 'retention'],
    ],
    [
      'that is throttled',
      () => consumer({ reservedConcurrentExecutions: 2 }).addEventSource(new SqsEventSource(queue(), REPORTING)),
      ['concurrency'],
    ],
    [
      'polled for an alias',
      () => {
        const alias = new lambda.Alias(stack, 'Live', {
          aliasName: 'live',
          version: consumer({ timeout: Duration.seconds(6) }).currentVersion,
        });
        alias.addEventSource(new SqsEventSource(queue(), REPORTING));
      },
      ['visibility-timeout'],
    ],
    [
      'of another stack',
      () => {
        const there = new Stack(stack.node.root, 'There');
        consumer().addEventSource(new SqsEventSource(new sqs.Queue(there, 'Queue'), REPORTING));
      },
      ['dead-letter-queue'],
    ],
    [
      'that is imported: only what is known',
      () => {
        const arn = 'arn:aws:sqs:eu-west-1:000000000000:theirs';
        consumer().addEventSource(new SqsEventSource(sqs.Queue.fromQueueArn(stack, 'Theirs', arn)));
      },
      ['partial-failures'],
    ],
    [
      'that an override has mended',
      () => {
        const made = queue();
        (made.node.defaultChild as sqs.CfnQueue).addPropertyOverride('VisibilityTimeout', 36);
        consumer({ timeout: Duration.seconds(6) }).addEventSource(new SqsEventSource(made, REPORTING));
      },
      [],
    ],
  ])('%s', (_, make, expected) => {
    make();
    expect(reported()).toEqual(expected);
  });
});

/** What a consumer of records in order needs. */
const retrying = () => ({
  startingPosition: lambda.StartingPosition.LATEST,
  ...REPORTING,
  bisectBatchOnError: true,
  onFailure: new SqsDlq(new sqs.Queue(stack, 'GivenUp')),
  retryAttempts: 10,
  maxRecordAge: Duration.hours(1),
});

describe('IdempotencyAudit, of a stream', () => {
  const add = (props: Partial<KinesisEventSourceProps> = {}, keeps?: string, hours = 24) => {
    const stream = new kinesis.Stream(stack, 'Stream', { retentionPeriod: Duration.hours(hours) });
    const fn = consumer({ timeout: Duration.seconds(40), ...(keeps && idempotent('records', keeps)) });
    fn.addEventSource(new KinesisEventSource(stream, { ...retrying(), ...props }));
  };

  const fanOut = (stream: kinesis.IStream) => {
    const streamConsumer = new kinesis.StreamConsumer(stack, 'FanOut', { stream, streamConsumerName: 'trips' });
    consumer().addEventSource(
      new KinesisConsumerEventSource(streamConsumer, { ...retrying(), bisectBatchOnError: false }),
    );
  };

  it.each<[string, () => void, readonly string[]]>([
    ['that fits', () => add(), []],
    ['without partial failures', () => add({ reportBatchItemFailures: false }), ['partial-failures']],
    ['that adds up a window', () => add({ tumblingWindow: Duration.seconds(5) }), ['tumbling-window']],
    ['that outlives its records', () => add({}, '24h', 48), ['retention']],
    ['whose retries outlive its records', () => add({}, '86839s'), ['retention']],
    ['whose records live long enough', () => add({}, '86840s'), []],
    ['that loses a batch with a record', () => add({ bisectBatchOnError: false }), ['bisect']],
    ['that says nowhere what is given up', () => add({ onFailure: undefined }), ['on-failure']],
    ['that is tried for ever', () => add({ retryAttempts: -1 }), ['retry-attempts']],
    ['that is hardly tried', () => add({ retryAttempts: 2 }), ['retry-attempts']],
    ['of any age', () => add({ maxRecordAge: undefined }), ['record-age']],
    ['that is given up before a lease is over', () => add({ maxRecordAge: Duration.seconds(79) }), ['record-age']],
    ['of enhanced fan-out', () => fanOut(new kinesis.Stream(stack, 'Stream')), ['bisect']],
    [
      'of enhanced fan-out, imported',
      () =>
        fanOut(kinesis.Stream.fromStreamArn(stack, 'Stream', 'arn:aws:kinesis:eu-west-1:000000000000:stream/trips')),
      ['bisect'],
    ],
    [
      'that gives up to a FIFO queue',
      () => add({ onFailure: new SqsDlq(new sqs.Queue(stack, 'Mine', { fifo: true })) }),
      ['on-failure-kind'],
    ],
  ])('%s', (_, make, expected) => {
    make();
    expect(reported()).toEqual(expected);
  });
});

describe('IdempotencyAudit, of Kafka', () => {
  const CLUSTER = 'arn:aws:kafka:eu-west-1:000000000000:cluster/trips/0-1';
  const PROVISIONED = { provisionedPollerConfig: { minimumPollers: 1 } };
  const add = (props: Partial<ManagedKafkaEventSourceProps> = {}, fn: Partial<lambda.FunctionProps> = {}) =>
    consumer(fn).addEventSource(
      new ManagedKafkaEventSource({ clusterArn: CLUSTER, topic: 'trips', ...retrying(), ...PROVISIONED, ...props }),
    );
  const told = (value?: string) => ({
    environment: { [ENVIRONMENT.table]: 'records', ...(value && { [ENVIRONMENT.partialFailures]: value }) },
  });
  const ON_DEMAND = { provisionedPollerConfig: undefined };

  it.each<[string, () => void, readonly string[]]>([
    ['that fits', () => add(), []],
    ['that fits, and is told so', () => add({}, told('true')), []],
    ['that Lambda tries ten times, as it does with a destination', () => add({ retryAttempts: undefined }), []],
    [
      'that is tried for ever, as it is without one',
      () => add({ retryAttempts: undefined, onFailure: undefined }),
      ['on-failure', 'retry-attempts'],
    ],
    ['without pollers', () => add(ON_DEMAND), ['provisioned-pollers']],
    ['without pollers, and not told otherwise', () => add(ON_DEMAND, told()), ['provisioned-pollers']],
    [
      'without pollers, but told that it is heard: failed records would be lost',
      () => add(ON_DEMAND, told('true')),
      ['partial-failures-told', 'provisioned-pollers'],
    ],
    [
      'without partial failures, but told that it is heard',
      () => add({ reportBatchItemFailures: false }, told('true')),
      ['partial-failures', 'partial-failures-told'],
    ],
    ['whose batches come again as a whole', () => add({}, told()), ['partial-failures-told']],
    ['that takes longer than Lambda waits', () => add({}, { timeout: Duration.seconds(841) }), ['timeout']],
    ['of any age', () => add({ maxRecordAge: undefined }), ['record-age']],
    ['that loses a batch with a record', () => add({ bisectBatchOnError: false }), ['bisect']],
  ])('%s', (_, make, expected) => {
    make();
    expect(reported()).toEqual(expected);
  });
});

describe('IdempotencyAudit, of functions and tables', () => {
  const key = { name: 'id', type: dynamodb.AttributeType.STRING };
  const GOOD = {
    partitionKey: key,
    timeToLiveAttribute: 'expiresAt',
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
  };
  const used = (props: Partial<dynamodb.TableProps>) => {
    const table = new dynamodb.Table(stack, 'Table', { ...GOOD, ...props });
    return consumer(idempotent(table.tableName));
  };
  const global = (props: Partial<dynamodb.TablePropsV2> = {}) => {
    const placed = new Stack(stack.node.root, 'Placed', { env: { account: '000000000000', region: 'us-east-1' } });
    const table = new dynamodb.TableV2(placed, 'Table', { ...GOOD, ...props });
    Aspects.of(placed).add(new IdempotencyAudit({ tables: [table] }));
    return reported(undefined, placed);
  };

  it.each<[string, () => unknown, readonly string[]]>([
    ['as they should be', () => used({}), []],
    ['not used for records', () => new dynamodb.Table(stack, 'Other', { partitionKey: { ...key, name: 'pk' } }), []],
    ['of ours', () => consumer(idempotent(new IdempotencyTable(stack, 'Table').tableName)), []],
    ['with another key', () => used({ partitionKey: { ...key, name: 'pk' } }), ['key-schema']],
    ['without TTL', () => used({ timeToLiveAttribute: undefined }), ['ttl']],
    [
      'imported by the ARN of one of this app, which has no TTL',
      () => {
        const table = new dynamodb.Table(stack, 'Table', { ...GOOD, timeToLiveAttribute: undefined });
        const imported = dynamodb.Table.fromTableArn(stack, 'Imported', table.tableArn);
        Aspects.of(stack).add(new IdempotencyAudit({ tables: [imported] }));
      },
      ['ttl'],
    ],
    [
      'that are easily lost',
      () =>
        used({
          pointInTimeRecoverySpecification: undefined,
          deletionProtection: false,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      ['deletion-protection', 'recovery', 'removal-policy'],
    ],
    [
      'with a timeout that the runtime is told wrongly',
      () => consumer({ environment: { [ENVIRONMENT.table]: 't', [ENVIRONMENT.functionTimeout]: '30s' } }),
      ['function-timeout'],
    ],
    [
      'whose outcomes are forgotten while Lambda tries an asynchronous event again',
      () => consumer(idempotent('t', '1h')).configureAsyncInvoke({ maxEventAge: Duration.hours(2) }),
      ['retention'],
    ],
    [
      'whose outcomes are kept for a day, by default, which is longer than Lambda tries',
      () =>
        consumer({ environment: { [ENVIRONMENT.table]: 't' } }).configureAsyncInvoke({
          maxEventAge: Duration.hours(6),
        }),
      [],
    ],
    [
      'which are not ours, whatever is said of their asynchronous events',
      () => consumer().configureAsyncInvoke({ maxEventAge: Duration.hours(6) }),
      [],
    ],
    ['of an old Node', () => consumer({ runtime: lambda.Runtime.NODEJS_20_X, ...idempotent('t') }), ['runtime']],
    ['of an old Node, which is not ours', () => consumer({ runtime: lambda.Runtime.NODEJS_20_X }), []],
    [
      'of an environment that is nonsense, which the runtime refuses',
      () => consumer({ environment: { [ENVIRONMENT.table]: 't', [ENVIRONMENT.retention]: 'soon' } }),
      [],
    ],
  ])('%s', (_, make, expected) => {
    make();
    expect(reported()).toEqual(expected);
  });

  it('in one Region', () => {
    expect(global()).toEqual([]);
  });

  it('in two Regions, where two can claim a key', () => {
    expect(global({ replicas: [{ region: 'us-east-2' }] })).toEqual(['regions']);
  });

  it('in three Regions of strong consistency', () => {
    const strong = {
      timeToLiveAttribute: undefined,
      multiRegionConsistency: dynamodb.MultiRegionConsistency.STRONG,
      replicas: [{ region: 'us-east-2' }, { region: 'us-west-2' }],
    };
    expect(global(strong)).toEqual([]);
  });

  it('reports a table once, however many functions use it', () => {
    const fn = used({ timeToLiveAttribute: undefined });
    const table = stack.node.findChild('Table') as dynamodb.Table;
    new lambda.Function(stack, 'Second', {
      code: lambda.Code.fromInline(' '),
      handler: 'index.handler',
      runtime: fn.runtime,
      ...idempotent(table.tableName),
    });
    expect(reported()).toEqual(['ttl']);
  });
});

describe('IdempotencyAudit', () => {
  it('warns, so that a finding can be acknowledged where it is right', () => {
    const fn = consumer();
    fn.addEventSource(new SqsEventSource(queue()));
    CoreAnnotations.of(fn).acknowledgeWarning('effectively-once:partial-failures', 'its batches are of one');
    expect(reported()).toEqual([]);
  });

  it('fails synthesis on request', () => {
    consumer().addEventSource(new SqsEventSource(queue()));
    reported({ report: 'error' });
    const [error] = Annotations.fromStack(stack).findError('*', any);
    expect(error?.entry.data).toBe(
      '`reportBatchItemFailures` is false; expected true: otherwise a failed record of a batch is deleted, or all come again [effectively-once:partial-failures]',
    );
  });

  it('finds nothing in what our constructs make, and in the relay of the example what it does without', () => {
    const app = testApp();
    const orders = new OrdersStack(app, 'Orders');
    expect(reported(undefined, orders)).toEqual([
      'bisect',
      'on-failure',
      'partial-failures',
      'record-age',
      'retry-attempts',
    ]);
  });

  it('has rules of different names, which warnings are acknowledged by', () => {
    for (const rules of [QUEUE_RULES, STREAM_RULES, KAFKA_RULES, FUNCTION_RULES, [...TABLE_RULES, ...TABLE_ADVICE]]) {
      const ids = rules.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });
});
