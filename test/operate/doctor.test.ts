import { afterEach, beforeAll, expect, it } from 'vitest';
import { createTable, engineClient } from '../engine.ts';
import { type Answers, standIn } from './stand-in.ts';
import { command, itemsIn, newTable } from './world.ts';

const QUEUE = 'arn:aws:sqs:eu-central-1:000000000000:orders';
const DEAD = 'arn:aws:sqs:eu-central-1:000000000000:orders-dead';
const STREAM = 'arn:aws:kinesis:eu-central-1:000000000000:stream/trips';
const ROLE = 'arn:aws:iam::000000000000:role/charge';

let table: string;
beforeAll(async () => {
  table = await newTable();
});
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const allowed = (decision: string) =>
  `<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult><EvaluationResults>${[
    'PutItem',
    'UpdateItem',
  ]
    .map(
      (action) =>
        `<member><EvalActionName>dynamodb:${action}</EvalActionName><EvalDecision>${decision}</EvalDecision></member>`,
    )
    .join('')}</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`;

/** A function that is as it should be, with a queue and a stream. */
function healthy(): Record<string, any> {
  const Variables = { IDEMPOTENCY_TABLE: table, IDEMPOTENCY_SCOPE: 'charge', IDEMPOTENCY_RETENTION: '30d' };
  const charge = { FunctionName: 'charge', Runtime: 'nodejs24.x', Timeout: 30, Role: ROLE, Environment: { Variables } };
  const other = {
    FunctionName: 'other',
    Runtime: 'nodejs18.x',
    Environment: { Variables: { IDEMPOTENCY_TABLE: 'theirs' } },
  };
  const common = { FunctionResponseTypes: ['ReportBatchItemFailures'] };
  const ofQueue = { UUID: '1', EventSourceArn: QUEUE, BatchSize: 10, ...common };
  const ofStream = {
    ...{ UUID: '2', EventSourceArn: STREAM, BisectBatchOnFunctionError: true, MaximumRetryAttempts: 10_000, ...common },
    ...{ MaximumRecordAgeInSeconds: 86_400, DestinationConfig: { OnFailure: { Destination: DEAD } } },
  };
  return {
    'DynamoDB_20120810.DescribeContinuousBackups': {
      body: {
        ContinuousBackupsDescription: { PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'ENABLED' } },
      },
    },
    'GET /2015-03-31/functions': { body: { Functions: [charge, other] } },
    'GET /2015-03-31/functions/charge/configuration': { body: charge },
    'GET /2019-09-30/functions/charge/concurrency': { body: {} },
    'GET /2015-03-31/functions/charge/aliases': { body: { Aliases: [{ Name: 'live' }] } },
    'GET /2015-03-31/event-source-mappings': { body: { EventSourceMappings: [ofQueue, ofStream] } },
    SimulatePrincipalPolicy: { body: allowed('allowed') },
    'AmazonSQS.GetQueueUrl': { body: { QueueUrl: 'http://127.0.0.1/000000000000/orders' } },
    'AmazonSQS.GetQueueAttributes': {
      body: {
        Attributes: {
          ...{ VisibilityTimeout: '180', MessageRetentionPeriod: '345600' },
          RedrivePolicy: JSON.stringify({ deadLetterTargetArn: DEAD, maxReceiveCount: 5 }),
        },
      },
    },
    'Kinesis_20131202.DescribeStreamSummary': { body: { StreamDescriptionSummary: { RetentionPeriodHours: 24 } } },
  };
}

async function doctor(
  answers: Answers,
  ...args: readonly string[]
): Promise<{ code: number | null; looked: any[]; out: string; err: string }> {
  const { url, stop } = await standIn(answers);
  stops.push(stop);
  const said = await command(['doctor', '--json', '--table', table, '--endpoint-url', url, ...args]);
  return { ...said, looked: said.out === '' ? [] : JSON.parse(said.out).looked };
}

const wrong = (looked: any[]) => looked.filter(({ came }) => came === 'wrong').map(({ at, rule }) => `${at}: ${rule}`);
const unchecked = (looked: any[]) => looked.filter(({ came }) => came === 'unchecked').map(({ text }) => text);

it('what is as it should be is fine; of the table only that the engine protects nothing is to be mended', async () => {
  const before = await itemsIn(table);
  const { code, looked } = await doctor(healthy());
  expect(unchecked(looked)).toEqual([]);
  expect(wrong(looked)).toEqual([`table ${table}: deletion-protection`]);
  expect(code).toBe(1);
  expect(looked.filter(({ came }) => came === 'fine').map(({ at, text }) => `${at}: ${text}`)).toEqual([
    'function charge: runtime and timeout: as they should be',
    'function charge: its role may do what the runtime does',
    `event source ${QUEUE}: as the rules want it`,
    `event source ${STREAM}: as the rules want it`,
  ]);
  expect(await itemsIn(table)).toEqual(before);
});

it('what breaks a rule of the constructs is named by it: table, function, role, queue and stream', async () => {
  const answers = healthy();
  const charge = answers['GET /2015-03-31/functions'].body.Functions[0];
  Object.assign(charge, { Runtime: 'nodejs20.x' });
  charge.Environment.Variables.IDEMPOTENCY_FUNCTION_TIMEOUT = '10s';
  charge.Environment.Variables.IDEMPOTENCY_RETENTION = '1h';
  const [queue, stream] = answers['GET /2015-03-31/event-source-mappings'].body.EventSourceMappings;
  Object.assign(queue, { FunctionResponseTypes: [] });
  Object.assign(stream, { DestinationConfig: {}, MaximumRetryAttempts: -1 });
  answers['AmazonSQS.GetQueueAttributes'].body.Attributes = {
    VisibilityTimeout: '30',
    MessageRetentionPeriod: '345600',
  };
  answers['SimulatePrincipalPolicy'] = { body: allowed('implicitDeny') };
  answers['DynamoDB_20120810.DescribeContinuousBackups'] = { body: { ContinuousBackupsDescription: {} } };
  const { code, looked } = await doctor(answers);
  expect(code).toBe(1);
  expect(wrong(looked)).toEqual([
    ...['recovery', 'deletion-protection'].map((rule) => `table ${table}: ${rule}`),
    ...['runtime', 'function-timeout', 'role'].map((rule) => `function charge: ${rule}`),
    ...['partial-failures', 'visibility-timeout', 'dead-letter-queue', 'retention'].map(
      (rule) => `event source ${QUEUE}: ${rule}`,
    ),
    ...['on-failure', 'retry-attempts', 'retention'].map((rule) => `event source ${STREAM}: ${rule}`),
  ]);
  expect(looked.find(({ rule }) => rule === 'role').text).toContain(
    'its role may not dynamodb:PutItem, dynamodb:UpdateItem in the scope "charge"',
  );
});

it('a table of another schema, without a TTL, is told to be one', async () => {
  const other = await createTable(engineClient(), 'pk');
  const { url, stop } = await standIn(healthy());
  stops.push(stop);
  const { code, out } = await command(['doctor', '--table', other, '--endpoint-url', url]);
  expect(code).toBe(1);
  expect(out).toMatch(
    /^✗ table .*: the key of the table is pk \(S\); expected id \(S\) and no sort key.* \[key-schema\]$/m,
  );
  expect(out).toMatch(/^✗ table .*: `timeToLiveAttribute` is not set; expected expiresAt.* \[ttl\]$/m);
});

it('what may not be looked at is named with its permission, and the rest is looked at', async () => {
  const {
    'GET /2015-03-31/functions/charge/configuration': configuration,
    'AmazonSQS.GetQueueUrl': _,
    ...answers
  } = healthy();
  const some = {
    'DynamoDB_20120810.DescribeContinuousBackups': undefined,
    'GET /2015-03-31/functions/charge/configuration': configuration,
    'GET /2015-03-31/event-source-mappings': answers['GET /2015-03-31/event-source-mappings'],
  };
  const { looked } = await doctor(some, '--function', 'charge,absent');
  const permissions = unchecked(looked).flatMap((text) => /permission (\S+)/.exec(text)?.[1] ?? text);
  expect(permissions.sort()).toEqual([
    ...['dynamodb:DescribeContinuousBackups', 'iam:SimulatePrincipalPolicy', 'kinesis:DescribeStreamSummary'],
    ...[
      'lambda:GetFunctionConcurrency',
      'lambda:GetFunctionConfiguration',
      'lambda:ListAliases',
      'sqs:GetQueueAttributes',
    ],
  ]);
  expect(looked).toContainEqual({
    at: 'function charge',
    came: 'fine',
    text: 'runtime and timeout: as they should be',
  });
});

it('where no table is, nothing else is looked at', async () => {
  const { code, out, err } = await doctor(healthy(), '--table', 'nowhere');
  expect({ code, out }).toEqual({ code: 5, out: '' });
  expect(err).toContain('table "nowhere" does not exist in the region and account of this client');
});

it('functions that do not name the table are to be named', async () => {
  const answers = { ...healthy(), 'GET /2015-03-31/functions': { body: { Functions: [] } } };
  const { looked } = await doctor(answers);
  expect(unchecked(looked)).toEqual([`none has IDEMPOTENCY_TABLE=${table}; name them by --function`]);
});
