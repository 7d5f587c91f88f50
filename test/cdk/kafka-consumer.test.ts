import { fileURLToPath } from 'node:url';
import { Aspects, Duration, Stack } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { KafkaDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import {
  IdempotencyAudit,
  IdempotencyTable,
  IdempotentKafkaConsumer,
  type IdempotentKafkaConsumerProps,
} from 'effectively-once/cdk';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ENVIRONMENT, environment } from '../../src/environment.ts';
import { testApp } from '../engine.ts';
import { expectationsOf } from './expectations.ts';

let app: ReturnType<typeof testApp>;
let stack: Stack;
beforeEach(() => {
  app = testApp();
  stack = new Stack(app, 'Stack');
});
const entry = fileURLToPath(new URL('../../examples/readme/stream.ts', import.meta.url));
const MSK = { clusterArn: 'arn:aws:kafka:eu-west-1:000000000000:cluster/trips/0-1' };
const OWN = { bootstrapServers: ['broker-1:9092', 'broker-2:9092'] };
const DAY_S = 86_400;

const consume = (props: Partial<IdempotentKafkaConsumerProps> = {}) =>
  new IdempotentKafkaConsumer(stack, 'Consumer', {
    cluster: MSK,
    topic: 'trips',
    secret: props.secret ?? new secretsmanager.Secret(stack, 'Credentials'),
    entry,
    table: new IdempotencyTable(stack, 'Table'),
    scope: 'trips',
    ...props,
  });
const { mappingHas, variablesHave, granted } = expectationsOf(() => stack);

describe('IdempotentKafkaConsumer', () => {
  it('may connect to MSK by its role, where there is no secret', () => {
    const { clusterArn } = MSK;
    const table = new IdempotencyTable(stack, 'Table');
    const cluster = { cluster: MSK, topic: 'trips', consumerGroupId: 'g' };
    new IdempotentKafkaConsumer(stack, 'ByRole', { ...cluster, entry, table, scope: 'trips' });
    const within = (kind: string, name: string) => `${clusterArn.replace('cluster', kind)}/${name}`;
    granted(Match.arrayWith(['kafka-cluster:Connect']), clusterArn);
    granted(Match.arrayWith(['kafka-cluster:ReadData']), within('topic', 'trips'));
    granted(Match.arrayWith(['kafka-cluster:AlterGroup']), within('group', 'g'));
  });

  it('may read the certificate of a cluster of your own', () => {
    const rootCACertificate = new secretsmanager.Secret(stack, 'Root');
    consume({ cluster: { ...OWN, rootCACertificate } });
    granted(Match.arrayWith(['secretsmanager:GetSecretValue']), stack.resolve(rootCACertificate.secretArn));
  });

  it.each<[string, IdempotentKafkaConsumerProps['cluster'], object]>([
    ['MSK', MSK, { EventSourceArn: MSK.clusterArn }],
    [
      'a cluster of your own',
      OWN,
      { SelfManagedEventSource: { Endpoints: { KafkaBootstrapServers: OWN.bootstrapServers } } },
    ],
  ])('of %s polls in provisioned mode, as partial failures need', (_, cluster, source) => {
    const { onFailureQueue } = consume({ cluster });
    mappingHas({
      ...source,
      Topics: ['trips'],
      StartingPosition: 'TRIM_HORIZON',
      ProvisionedPollerConfig: { MinimumPollers: 1 },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 10_000,
      MaximumRecordAgeInSeconds: 7 * DAY_S,
      DestinationConfig: { OnFailure: { Destination: stack.resolve(onFailureQueue?.queueArn) } },
    });
  });

  it('tells the function that its answer is heard, as the runtime reads it', () => {
    consume({ environment: { MINE: 'too' } });
    variablesHave({ [ENVIRONMENT.partialFailures]: 'true', MINE: 'too' });
    vi.stubEnv(ENVIRONMENT.partialFailures, 'true');
    expect(environment.hearsPartialFailures()).toBe(true);
    vi.unstubAllEnvs();
  });

  it('keeps outcomes as long as the topic keeps a record, and Lambda tries it again', () => {
    consume({ topicRetention: Duration.days(3), timeout: Duration.seconds(20), retryAttempts: 9 });
    variablesHave({ [ENVIRONMENT.retention]: `${3 * DAY_S + 200}s` });
  });

  it('has as many pollers as asked for, with credentials, group, filters and a topic for what is given up', () => {
    const secret = new secretsmanager.Secret(stack, 'Secret');
    const { onFailureQueue, alias } = consume({
      cluster: OWN,
      secret,
      consumerGroupId: 'trips',
      provisionedPollerConfig: { minimumPollers: 2, maximumPollers: 4 },
      onFailure: new KafkaDlq('given-up'),
      filters: [lambda.FilterCriteria.filter({ key: lambda.FilterRule.exists() })],
      aliasName: 'now',
    });
    expect(onFailureQueue).toBeUndefined();
    mappingHas({
      FunctionName: stack.resolve(alias?.functionName),
      ProvisionedPollerConfig: { MinimumPollers: 2, MaximumPollers: 4 },
      DestinationConfig: { OnFailure: { Destination: 'kafka://given-up' } },
      SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: 'trips' },
      SourceAccessConfigurations: [{ Type: 'SASL_SCRAM_512_AUTH', URI: stack.resolve(secret.secretArn) }],
      FilterCriteria: { Filters: Match.anyValue() },
    });
  });

  it.each([MSK, OWN])('satisfies the audit: %o', (cluster) => {
    consume({ cluster });
    Aspects.of(stack).add(new IdempotencyAudit({ report: 'error' }));
    expect(() => app.synth()).not.toThrow();
  });
});

describe('IdempotentKafkaConsumer fails', () => {
  const variables = (value: string) => ({ environment: { [ENVIRONMENT.partialFailures]: value } });
  it.each<[string, object, RegExp]>([
    ['on a timeout above 14 minutes', { timeout: Duration.minutes(15) }, /`timeout` is 900; expected at most 840s/],
    ['on retries without end', { retryAttempts: -1 }, /`retryAttempts` is -1; expected 3 to 10000/],
    ['on an age above 7 days', { maxRecordAge: Duration.days(8) }, /`maxRecordAge` is 691200; expected 60 to 604800s/],
    [
      'on outcomes forgotten before records',
      { retention: Duration.days(7) },
      /`retention` is 604800.* at least 904830s/,
    ],
    ['if told that nothing is heard', variables('false'), /IDEMPOTENCY_PARTIAL_FAILURES: "false"; expected "true"/],
    [
      'without partial failures',
      { reportBatchItemFailures: false },
      /`reportBatchItemFailures` is false; expected true/,
    ],
    ['without a cluster', { cluster: {} }, /`cluster` has neither `clusterArn` nor/],
    [
      'with two clusters',
      { cluster: { ...MSK, ...OWN } },
      /`cluster` has `clusterArn` and `bootstrapServers`; expected one/,
    ],
  ])('%s', (_, props, message) => {
    expect(() => consume(props)).toThrow(message);
  });

  it('not at 14 minutes', () => {
    expect(() => consume({ timeout: Duration.minutes(14) })).not.toThrow();
  });

  it('synthesis, if an override leaves it without pollers: Lambda would take failed records for done', () => {
    const { mapping } = consume();
    const resource = mapping.node.defaultChild as lambda.CfnEventSourceMapping;
    resource.provisionedPollerConfig = undefined;
    expect(() => app.synth()).toThrow(/`provisionedPollerConfig` is not set.*`IDEMPOTENCY_PARTIAL_FAILURES` is true/s);
  });

  it('synthesis, if it is told otherwise later', () => {
    consume({ cluster: OWN }).function.addEnvironment(ENVIRONMENT.partialFailures, 'no');
    expect(() => app.synth()).toThrow(/`IDEMPOTENCY_PARTIAL_FAILURES` is no; expected true/);
  });
});
