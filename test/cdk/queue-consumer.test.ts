import { fileURLToPath } from 'node:url';
import { Duration, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { IdempotencyTable, IdempotentQueueConsumer, type IdempotentQueueConsumerProps } from 'effectively-once/cdk';
import { beforeEach, describe, expect, it } from 'vitest';
import { ENVIRONMENT } from '../../src/environment.ts';
import { testApp } from './assemblies.ts';
import { expectationsOf } from './expectations.ts';

let app: ReturnType<typeof testApp>;
let stack: Stack;
beforeEach(() => {
  app = testApp();
  stack = new Stack(app, 'Stack');
});
const entry = fileURLToPath(new URL('../../examples/readme/redelivery.ts', import.meta.url));
const DAY_S = 86_400;
const ARN = 'arn:aws:sqs:eu-west-1:000000000000:theirs';

const consume = (props: Partial<IdempotentQueueConsumerProps> = {}) =>
  new IdempotentQueueConsumer(stack, 'Consumer', {
    entry,
    table: new IdempotencyTable(stack, 'Table'),
    scope: 'orders',
    ...props,
  });
const { template, mappingHas, variablesHave, granted } = expectationsOf(() => stack);

/** A queue of the app that keeps the rules for a timeout of 30 s, but for what is given. */
const existing = (props: sqs.QueueProps = {}, dead: sqs.QueueProps = {}) =>
  new sqs.Queue(stack, 'Existing', {
    visibilityTimeout: Duration.seconds(180),
    deadLetterQueue: { queue: new sqs.Queue(stack, 'Dead', { fifo: props.fifo, ...dead }), maxReceiveCount: 5 },
    ...props,
  });

describe('a consumer of a queue that exists', () => {
  it('makes none, and keeps outcomes as long as a message may lie in both', () => {
    const queue = existing({ retentionPeriod: Duration.days(2) }, { retentionPeriod: Duration.days(3) });
    const { queue: consumed, deadLetterQueue } = consume({ queue });
    expect([consumed.node.id, deadLetterQueue.node.id]).toEqual(['Existing', 'Dead']);
    template().resourceCountIs('AWS::SQS::Queue', 2);
    mappingHas({ EventSourceArn: stack.resolve(queue.queueArn), FunctionResponseTypes: ['ReportBatchItemFailures'] });
    variablesHave({ [ENVIRONMENT.retention]: `${5 * DAY_S}s` });
    Annotations.fromStack(stack).hasNoWarning('*', Match.stringLikeRegexp('imported'));
  });

  it('takes one of FIFO, and one of another stack', () => {
    expect(() => consume({ queue: existing({ fifo: true }) })).not.toThrow();
    stack = new Stack(app, 'Here');
    const there = existing({}, {});
    stack = new Stack(app, 'Elsewhere');
    expect(() => consume({ queue: there })).not.toThrow();
  });

  it.each<[string, sqs.QueueProps, Partial<IdempotentQueueConsumerProps>, RegExp]>([
    [
      'is visible too early',
      { visibilityTimeout: Duration.seconds(179) },
      {},
      /^Stack\/Existing: `visibilityTimeout` is 179; expected at least 180s/,
    ],
    [
      'is visible too early for the window',
      {},
      { maxBatchingWindow: Duration.seconds(1) },
      /`visibilityTimeout` is 180; expected at least 181/,
    ],
    ['has no dead-letter queue', { deadLetterQueue: undefined }, {}, /`deadLetterQueue` is not set; expected one/],
    [
      'outlives its dead letters',
      { retentionPeriod: Duration.days(5) },
      {},
      /`deadLetterRetention` is 345600; expected at least 432000/,
    ],
    ['outlives its records', {}, { retention: Duration.days(7) }, /`retention` is 604800; expected at least 691200/],
    ['is of FIFO, with large batches', { fifo: true }, { batchSize: 11 }, /`batchSize` is 11; expected at most 10/],
    [
      'is of FIFO, with a window',
      { fifo: true, visibilityTimeout: Duration.minutes(5) },
      { maxBatchingWindow: Duration.seconds(1) },
      /`maxBatchingWindow` is set; expected none/,
    ],
  ])('fails if it %s', (_, queueProps, props, message) => {
    expect(() => consume({ queue: existing(queueProps), ...props })).toThrow(message);
  });

  it('fails if it gives up early', () => {
    const deadLetterQueue = { queue: new sqs.Queue(stack, 'D'), maxReceiveCount: 4 };
    expect(() => consume({ queue: existing({ deadLetterQueue }) })).toThrow(
      /`maxReceiveCount` is 4; expected 5 to 1000/,
    );
  });

  it('fails synthesis if the queue is changed later', () => {
    const queue = existing();
    consume({ queue });
    (queue.node.defaultChild as sqs.CfnQueue).visibilityTimeout = 60;
    expect(() => app.synth()).toThrow(/`visibilityTimeout` is 60; expected at least 180/);
  });

  it.each<[string, Partial<IdempotentQueueConsumerProps>]>([
    ['fifo', { fifo: true }],
    ['visibilityTimeout', { visibilityTimeout: Duration.minutes(5) }],
    ['maxReceiveCount', { maxReceiveCount: 6 }],
    ['queueRetention', { queueRetention: Duration.days(4) }],
    ['deadLetterRetention', { deadLetterRetention: Duration.days(4) }],
  ])('takes no `%s`, which its queue says', (name, props) => {
    const message = `\`${name}\` is set beside \`queue\`; expected it on Stack/Existing`;
    expect(() => consume({ queue: existing(), ...props })).toThrow(message);
  });
});

describe('a consumer of an imported queue', () => {
  const imported = (arn = ARN) => sqs.Queue.fromQueueArn(stack, 'Theirs', arn);

  it('keeps outcomes for the longest that two queues can keep a message', () => {
    consume({ queue: imported() });
    variablesHave({ [ENVIRONMENT.retention]: `${28 * DAY_S}s` });
  });

  it('warns of what nobody can check, with the figures', () => {
    consume({ queue: imported(), timeout: Duration.seconds(10), maxBatchingWindow: Duration.seconds(2) });
    Annotations.fromStack(stack).hasWarning(
      '*',
      Match.stringLikeRegexp(
        'Stack/Theirs is imported.*visibility timeout must be at least 62 s.*`maxReceiveCount` of at least 5',
      ),
    );
  });

  it('knows by its name that it is of FIFO', () => {
    expect(() => consume({ queue: imported(`${ARN}.fifo`), batchSize: 11 })).toThrow(/`batchSize` is 11.* 10$/);
  });

  it('may be told its dead-letter queue, and is judged by it', () => {
    const deadLetters = new sqs.Queue(stack, 'Dead', { retentionPeriod: Duration.days(3) });
    expect(consume({ queue: imported(), deadLetters }).deadLetterQueue).toBe(deadLetters);
    variablesHave({ [ENVIRONMENT.retention]: `${17 * DAY_S}s` });
  });

  it('has no dead-letter queue to give otherwise', () => {
    const consumer = consume({ queue: imported() });
    expect(() => consumer.deadLetterQueue).toThrow(/of Stack\/Theirs is not known; expected the prop `deadLetters`/);
  });
});

describe('`deadLetters`', () => {
  it('fails without a queue, and if it is not that of the queue', () => {
    const deadLetters = new sqs.Queue(stack, 'Other');
    expect(() => consume({ deadLetters })).toThrow(/`deadLetters` is set without `queue`; expected both/);
    stack = new Stack(app, 'Two');
    expect(() => consume({ queue: existing(), deadLetters })).toThrow(
      /`deadLetters` is Stack\/Other; expected Two\/Dead, that of the queue/,
    );
  });
});

describe('what `sqsRedelivery` needs', () => {
  it('is granted on the queue: its URL, and to hide a message', () => {
    const { queue } = consume();
    const actions = Match.arrayWith(['sqs:ChangeMessageVisibility', 'sqs:GetQueueUrl']);
    granted(actions, stack.resolve(queue.queueArn));
  });

  it('is no grant to send, unless it is asked for', () => {
    consume();
    expect(JSON.stringify(template().findResources('AWS::IAM::Policy'))).not.toContain('sqs:SendMessage');
  });

  it.each<[string, () => Partial<IdempotentQueueConsumerProps>]>([
    ['of a new one', () => ({})],
    ['of one that exists', () => ({ queue: existing() })],
    [
      'of an imported one',
      () => ({
        queue: sqs.Queue.fromQueueArn(stack, 'T', ARN),
        deadLetters: sqs.Queue.fromQueueArn(stack, 'D', `${ARN}-d`),
      }),
    ],
  ])('is granted and named by `sendsDeadLetters` for the dead-letter queue %s', (_, props) => {
    const { deadLetterQueue } = consume({ sendsDeadLetters: true, environment: { MINE: 'too' }, ...props() });
    granted(Match.arrayWith(['sqs:SendMessage']), stack.resolve(deadLetterQueue.queueArn));
    variablesHave({ IDEMPOTENCY_DEAD_LETTER_QUEUE_URL: stack.resolve(deadLetterQueue.queueUrl), MINE: 'too' });
  });

  it('cannot be granted for one that nobody knows', () => {
    const queue = sqs.Queue.fromQueueArn(stack, 'T', ARN);
    expect(() => consume({ queue, sendsDeadLetters: true })).toThrow(/expected the prop `deadLetters`/);
  });

  it('may be done with queues that are encrypted by a key of yours', () => {
    const key = new kms.Key(stack, 'Key');
    consume({ encryptionKey: key, sendsDeadLetters: true });
    template().allResourcesProperties('AWS::SQS::Queue', { KmsMasterKeyId: stack.resolve(key.keyArn) });
    granted('kms:Decrypt', stack.resolve(key.keyArn));
    granted(Match.arrayWith(['kms:GenerateDataKey*']), stack.resolve(key.keyArn));
  });
});

describe('the mapping of a queue consumer', () => {
  it('is exposed, has filters and their key', () => {
    const key = new kms.Key(stack, 'Key');
    const filters = [lambda.FilterCriteria.filter({ body: { kind: lambda.FilterRule.isEqual('order') } })];
    const { mapping } = consume({ filters, filterEncryption: key });
    mappingHas({
      FilterCriteria: { Filters: [{ Pattern: JSON.stringify({ body: { kind: ['order'] } }) }] },
      KmsKeyArn: stack.resolve(key.keyArn),
    });
    expect(mapping).toBeInstanceOf(lambda.EventSourceMapping);
  });

  it('invokes the function itself', () => {
    const { alias, function: consumer } = consume();
    expect(alias).toBeUndefined();
    mappingHas({ FunctionName: stack.resolve(consumer.functionName) });
  });

  it('invokes an alias with provisioned concurrency on request', () => {
    const { alias } = consume({ provisionedConcurrentExecutions: 2, aliasName: 'warm' });
    template().hasResourceProperties('AWS::Lambda::Alias', {
      Name: 'warm',
      ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 2 },
    });
    mappingHas({ FunctionName: stack.resolve(alias?.functionName) });
  });
});

describe('what a function has for asynchronous invocations', () => {
  it.each<[string, () => object]>([
    ['deadLetterQueue', () => ({ deadLetterQueue: new sqs.Queue(stack, 'Q') })],
    ['deadLetterTopic', () => ({ deadLetterTopic: new sns.Topic(stack, 'T') })],
    ['deadLetterQueueEnabled', () => ({ deadLetterQueueEnabled: true })],
    ['maxEventAge', () => ({ maxEventAge: Duration.hours(1) })],
    ['retryAttempts', () => ({ retryAttempts: 0 })],
    ['events', () => ({ events: [] })],
  ])('is not inherited: `%s` fails', (name, props) => {
    expect(() => consume(props())).toThrow(new RegExp(`\`${name}\` is .*; expected none: `));
  });

  it('is none of its types', () => {
    type Known<Name extends string> = Name extends keyof IdempotentQueueConsumerProps ? true : false;
    const names: Known<'deadLetterQueue' | 'deadLetterTopic' | 'deadLetterQueueEnabled' | 'events'> = false;
    const others: Known<'onFailure' | 'onSuccess' | 'retryAttempts' | 'maxEventAge'> = false;
    expect([names, others]).toEqual([false, false]);
  });

  it('is refused where partial failures are switched off, too', () => {
    const props: object = { reportBatchItemFailures: false };
    expect(() => consume(props)).toThrow(/`reportBatchItemFailures` is false; expected true/);
  });
});
