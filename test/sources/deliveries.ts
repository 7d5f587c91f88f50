import type { HandlerOptions } from 'effectively-once';
import { stepFunctionsKey } from 'effectively-once';
import type { RecordIdentity } from 'effectively-once/operator';
import { httpEvent } from '../events.ts';
import { sqsRecord } from '../ways.ts';

/** One thing, delivered twice, and something else under the same key. */
export interface Delivery {
  readonly name: string;
  /** Of our events and records. */
  readonly source: string;
  readonly first: any;
  /** The same thing again, with all that a delivery of its own changes. */
  readonly again: any;
  readonly other: any;
  /** By default. */
  readonly identity: Omit<RecordIdentity, 'scope' | 'key'> & { readonly key?: string };
  readonly options?: Partial<HandlerOptions<any>>;
}

/** Another every time it is looked at. */
const fresh = (): string => crypto.randomUUID();

const REST = (over: object, context: object = {}) => ({
  resource: '/orders/{id}',
  path: '/orders/1',
  httpMethod: 'POST',
  headers: { 'Idempotency-Key': 'k', 'Content-Type': 'application/json', 'X-Amzn-Trace-Id': `Root=${fresh()}` },
  multiValueHeaders: { 'Idempotency-Key': ['k'], 'Content-Type': ['application/json'] },
  queryStringParameters: null,
  multiValueQueryStringParameters: null,
  pathParameters: { id: '1' },
  stageVariables: null,
  body: '{"amount":5}',
  isBase64Encoded: false,
  requestContext: {
    requestId: fresh(),
    requestTimeEpoch: Date.now(),
    identity: { sourceIp: `10.0.0.${fresh().length}`, userAgent: fresh() },
    ...context,
  },
  ...over,
});

const HTTP = (authorizer: object | undefined, body: object) => {
  const event = httpEvent({ key: 'k', body });
  return { ...event, requestContext: { ...event.requestContext, ...(authorizer && { authorizer }) } };
};

const role = (session: string): string => `arn:aws:sts::123456789012:assumed-role/Web/${session}`;

const ALB = (amount: number) => ({
  requestContext: { elb: { targetGroupArn: 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/a/b' } },
  httpMethod: 'POST',
  path: '/orders',
  queryStringParameters: {},
  headers: {
    'content-type': 'application/json',
    'idempotency-key': 'k',
    'x-amzn-oidc-identity': fresh(), // anybody can send it to the function's own address
    'x-forwarded-for': fresh(),
  },
  body: JSON.stringify({ amount }),
  isBase64Encoded: false,
});

const multipart = (file: string) => {
  const boundary = `----WebKitFormBoundary${fresh()}`;
  const part = (name: string, content: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;
  const body = `${part('amount', '5')}${part('receipt', file)}--${boundary}--\r\n`;
  const event = httpEvent({ key: 'k' });
  return {
    ...event,
    headers: { ...event.headers, 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
  };
};

const LATTICE_1 = (amount: number) => ({
  raw_path: '/orders',
  method: 'POST',
  headers: { 'idempotency-key': 'k', 'content-type': 'application/json', 'x-forwarded-for': fresh() },
  query_string_parameters: {},
  body: JSON.stringify({ amount }),
  is_base64_encoded: false,
});

const LATTICE_2 = (amount: number) => ({
  version: '2.0',
  path: '/orders',
  method: 'POST',
  headers: { 'idempotency-key': ['k'], 'content-type': ['application/json'], 'x-forwarded-for': [fresh()] },
  queryStringParameters: { a: ['1'] },
  body: JSON.stringify({ amount }),
  isBase64Encoded: false,
  requestContext: {
    serviceNetworkArn: 'arn:aws:vpc-lattice:eu-central-1:123456789012:servicenetwork/sn-1',
    serviceArn: 'arn:aws:vpc-lattice:eu-central-1:123456789012:service/svc-1',
    targetGroupArn: 'arn:aws:vpc-lattice:eu-central-1:123456789012:targetgroup/tg-1',
    identity: { sourceVpcArn: 'arn', type: 'AWS_IAM', principal: role(fresh()), sessionName: fresh() },
    region: 'eu-central-1',
    timeEpoch: `${Date.now()}000`,
  },
});

const SOCKET = (amount: number) => ({
  requestContext: {
    routeKey: 'placeOrder',
    eventType: 'MESSAGE',
    connectionId: fresh(),
    messageId: fresh(),
    extendedRequestId: fresh(),
    requestId: fresh(),
    requestTimeEpoch: Date.now(),
    stage: 'prod',
    identity: { sourceIp: fresh() },
    authorizer: { principalId: 'alice', integrationLatency: Math.random() },
  },
  body: JSON.stringify({ action: 'placeOrder', id: 'o-1', amount }),
  isBase64Encoded: false,
});

const APPSYNC = (input: object, headers: object, identity: unknown) => ({
  arguments: { input },
  identity,
  source: null,
  request: { headers: { 'x-amzn-trace-id': fresh(), ...headers }, domainName: null },
  prev: null,
  info: {
    selectionSetList: ['id'],
    selectionSetGraphQL: '{ id }',
    parentTypeName: 'Mutation',
    fieldName: 'placeOrder',
    variables: {},
  },
  stash: {},
});

const EVENT = (amount: number, more: object = {}) => ({
  version: '0',
  id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
  'detail-type': 'OrderPlaced',
  source: 'shop',
  account: '123456789012',
  time: new Date().toISOString(),
  region: 'eu-central-1',
  resources: [],
  detail: { orderId: 'o-1', amount },
  ...more,
});

const notification = (Message: string) => ({
  Type: 'Notification',
  MessageId: 'sns-1',
  TopicArn: 'arn:aws:sns:eu-central-1:123456789012:orders',
  Message,
  Timestamp: new Date().toISOString(),
  SignatureVersion: '1',
  Signature: fresh(),
  SigningCertURL: 'https://sns.example.com/cert.pem',
  UnsubscribeURL: `https://sns.example.com/?Token=${fresh()}`,
});

const SNS = (Message: string) => ({
  Records: [
    {
      EventSource: 'aws:sns',
      EventVersion: '1.0',
      EventSubscriptionArn: `arn:aws:sns:eu-central-1:123456789012:orders:${fresh()}`,
      Sns: {
        ...notification(Message),
        Subject: null,
        MessageAttributes: { traceparent: { Type: 'String', Value: fresh() } },
      },
    },
  ],
});

const S3 = (eTag: string, object: object = { sequencer: '0055AED6DCD90281E5' }) => ({
  Records: [
    {
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      awsRegion: 'eu-central-1',
      eventTime: new Date().toISOString(),
      eventName: 'ObjectCreated:Put',
      userIdentity: { principalId: fresh() },
      requestParameters: { sourceIPAddress: fresh() },
      responseElements: { 'x-amz-request-id': fresh(), 'x-amz-id-2': fresh() },
      s3: {
        s3SchemaVersion: '1.0',
        configurationId: fresh(),
        bucket: { name: 'receipts', ownerIdentity: { principalId: 'A' }, arn: 'arn:aws:s3:::receipts' },
        object: { key: 'orders/a+b%C3%BC.json', size: 5, eTag, ...object },
      },
    },
  ],
});

const SCHEDULE = (amount: number) => ({
  scheduleArn: 'arn:aws:scheduler:eu-central-1:123456789012:schedule/default/billing',
  scheduledTime: '2026-11-26T00:00:00Z',
  executionId: fresh(),
  attempt: `${fresh().length}`,
  order: { amount },
});

const TASK = (amount: number) => ({
  task: {
    executionId: 'arn:aws:states:eu-central-1:123456789012:execution:checkout:c-1',
    stateName: 'Charge',
    enteredTime: '2026-11-26T00:00:00Z',
  },
  taskToken: fresh(),
  retryCount: fresh(),
  order: { amount },
});

const QUEUE = (body: unknown) => ({
  Records: [
    sqsRecord(typeof body === 'string' ? body : JSON.stringify(body), {
      messageId: 'm-1',
      receiptHandle: fresh(),
      attributes: {
        ApproximateReceiveCount: fresh(),
        SentTimestamp: fresh(),
        SenderId: fresh(),
        ApproximateFirstReceiveTimestamp: fresh(),
        AWSTraceHeader: fresh(),
      },
      messageAttributes: { traceparent: { stringValue: fresh(), dataType: 'String' } },
    }),
  ],
});

/** A message in a queue, sent again by what is before the queue: it has another id then. */
const FORWARDED = (body: unknown) => ({ Records: [{ ...QUEUE(body).Records[0], messageId: fresh() }] });

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const KINESIS = (amount: number) => ({
  Records: [
    {
      eventSource: 'aws:kinesis',
      eventID: `shardId-000000000000:${fresh()}`,
      invokeIdentityArn: fresh(),
      kinesis: {
        partitionKey: 'o-1',
        sequenceNumber: fresh(),
        data: base64(`{"id":"o-1","amount":${amount}}`),
        approximateArrivalTimestamp: Date.now(),
      },
    },
  ],
});

const STREAM = (amount: string) => ({
  Records: [
    {
      eventSource: 'aws:dynamodb',
      eventID: fresh(),
      eventName: 'INSERT',
      dynamodb: {
        Keys: { id: { S: 'o-1' } },
        NewImage: { id: { S: 'o-1' }, amount: { N: amount } },
        SequenceNumber: fresh(),
        ApproximateCreationDateTime: Date.now(),
      },
    },
  ],
});

const KAFKA = (amount: number) => ({
  eventSource: 'aws:kafka',
  eventSourceArn: 'arn:aws:kafka:eu-central-1:123456789012:cluster/c/1',
  records: {
    'orders-0': [
      {
        topic: 'orders',
        partition: 0,
        offset: Math.random(),
        timestamp: Date.now(),
        timestampType: 'CREATE_TIME',
        key: base64('o-1'),
        value: base64(`{"id":"o-1","amount":${amount}}`),
        headers: [{ traceparent: [1, 2, 3] }],
      },
    ],
  },
});

/** The three of it, each made anew. */
const three = (make: (variant: any) => any, same: unknown, other: unknown) => ({
  first: make(same),
  again: make(same),
  other: make(other),
});

const jwt = (claims: object) => ({
  jwt: { claims: { iss: 'https://idp', exp: fresh(), jti: fresh(), ...claims }, scopes: null },
});
const byOrder = { key: () => 'o-1' };

/** What idempotent and Middy take by themselves. */
export const EVENTS: readonly Delivery[] = [
  {
    name: 'a REST API with a Cognito user pool',
    source: 'http',
    ...three(
      (body) => REST({ body }, { authorizer: { claims: { iss: 'https://idp', sub: 'alice', exp: fresh() } } }),
      '{"amount":5}',
      '{"amount":6}',
    ),
    identity: { operation: ['POST', '/orders/{id}'], principal: ['jwt', 'https://idp', 'alice'], key: 'k' },
  },
  {
    name: 'a REST API with an API key',
    source: 'http',
    ...three(
      (body) => REST({ body }, { identity: { apiKeyId: 'key-1', apiKey: fresh(), sourceIp: fresh() } }),
      '{"amount":5}',
      '{"amount":6}',
    ),
    identity: { operation: ['POST', '/orders/{id}'], principal: ['api-key', 'key-1'], key: 'k' },
  },
  {
    name: 'a REST API with client certificates',
    source: 'http',
    ...three(
      (body) =>
        REST({ body }, { identity: { clientCert: { issuerDN: 'CN=ca', subjectDN: 'CN=a', serialNumber: fresh() } } }),
      '{"amount":5}',
      '{"amount":6}',
    ),
    identity: { operation: ['POST', '/orders/{id}'], principal: ['certificate', 'CN=ca', 'CN=a'], key: 'k' },
  },
  {
    name: 'an HTTP API with a JWT',
    source: 'http',
    ...three((amount) => HTTP(jwt({ sub: 'alice' }), { amount }), 5, 6),
    identity: { operation: ['POST', '/orders'], principal: ['jwt', 'https://idp', 'alice'], key: 'k' },
  },
  {
    name: 'an HTTP API with a JWT of client credentials',
    source: 'http',
    ...three((amount) => HTTP(jwt({ client_id: 'app' }), { amount }), 5, 6),
    identity: { operation: ['POST', '/orders'], principal: ['jwt', 'https://idp', 'client_id', 'app'], key: 'k' },
  },
  {
    name: 'a function URL with IAM',
    source: 'http',
    ...three((amount) => HTTP({ iam: { userArn: role(fresh()), accessKey: fresh() } }, { amount }), 5, 6),
    identity: {
      operation: ['POST', '/orders'],
      principal: ['iam', 'arn:aws:sts::123456789012:assumed-role/Web'],
      key: 'k',
    },
  },
  { name: 'an ALB', source: 'http', ...three(ALB, 5, 6), identity: { operation: ['POST', '/orders'], key: 'k' } },
  {
    name: 'a form with a file',
    source: 'http',
    ...three(multipart, 'a receipt', 'another receipt'),
    identity: { operation: ['POST', '/orders'], key: 'k' },
  },
  {
    name: 'VPC Lattice, version 1',
    source: 'vpc-lattice',
    ...three(LATTICE_1, 5, 6),
    identity: { operation: ['POST', '/orders'], key: 'k' },
  },
  {
    name: 'VPC Lattice, version 2',
    source: 'vpc-lattice',
    ...three(LATTICE_2, 5, 6),
    identity: {
      operation: ['POST', '/orders'],
      principal: ['iam', 'arn:aws:sts::123456789012:assumed-role/Web'],
      key: 'k',
    },
  },
  {
    name: 'a WebSocket API',
    source: 'web-socket',
    ...three(SOCKET, 5, 6),
    options: { key: (event) => JSON.parse(event.body).id },
    identity: { operation: ['placeOrder'], principal: ['authorizer', 'alice'], key: 'o-1' },
  },
  {
    name: 'AppSync, with a header and a clientMutationId of every attempt',
    source: 'appsync',
    ...three(
      (amount) =>
        APPSYNC(
          { amount, clientMutationId: fresh() },
          { 'Idempotency-Key': 'k' },
          { issuer: 'https://idp', sub: 'alice' },
        ),
      5,
      6,
    ),
    identity: { operation: ['Mutation', 'placeOrder'], principal: ['jwt', 'https://idp', 'alice'], key: 'k' },
  },
  {
    name: 'AppSync, with a clientMutationId',
    source: 'appsync',
    ...three((amount) => APPSYNC({ amount, clientMutationId: 'm-1' }, {}, null), 5, 6),
    identity: { operation: ['Mutation', 'placeOrder'], key: 'm-1' },
  },
  {
    name: 'AppSync with IAM',
    source: 'appsync',
    ...three(
      (amount) => APPSYNC({ amount }, { 'idempotency-key': '"k"' }, { userArn: role(fresh()), sourceIp: [fresh()] }),
      5,
      6,
    ),
    identity: {
      operation: ['Mutation', 'placeOrder'],
      principal: ['iam', 'arn:aws:sts::123456789012:assumed-role/Web'],
      key: 'k',
    },
  },
  {
    name: 'EventBridge',
    source: 'event-bridge',
    ...three((amount) => EVENT(amount, { 'replay-name': fresh() }), 5, 6),
    identity: { key: '6a7e8feb-b491-4cf7-a9f1-bf3703467718' },
  },
  { name: 'SNS', source: 'sns', ...three(SNS, '{"amount":5}', '{"amount":6}'), identity: { key: 'sns-1' } },
  {
    name: 'SNS, of which the producer published again',
    source: 'sns',
    first: SNS('{"id":"o-1","amount":5}'),
    again: (({ Records: [record] }) => ({
      Records: [{ ...record, Sns: { ...record?.Sns, MessageId: fresh() } }],
    }))(SNS('{ "amount": 5, "id": "o-1" }')),
    other: SNS('{"id":"o-1","amount":6}'),
    options: { key: (event) => JSON.parse(event.Records[0].Sns.Message).id },
    identity: { key: 'o-1' },
  },
  { name: 'S3', source: 's3', ...three(S3, 'a', 'b'), identity: {} },
  {
    name: 'S3 with versions',
    source: 's3',
    ...three((eTag) => S3(eTag, { versionId: 'v1', sequencer: fresh() }), 'a', 'b'),
    identity: {},
  },
  {
    name: 'Scheduler, by the recipe',
    source: 'plain',
    ...three(SCHEDULE, 5, 6),
    options: {
      key: ({ scheduleArn, scheduledTime }) => `${scheduleArn}@${scheduledTime}`,
      fingerprint: ({ order }) => order,
    },
    identity: {
      key: 'arn:aws:scheduler:eu-central-1:123456789012:schedule/default/billing@2026-11-26T00:00:00Z',
    },
  },
  {
    name: 'Step Functions',
    source: 'plain',
    ...three(TASK, 5, 6),
    options: { key: ({ task }) => stepFunctionsKey(task), fingerprint: ({ order }) => order },
    identity: { key: stepFunctionsKey(TASK(5).task) },
  },
  {
    name: 'a queue, taken as one',
    source: 'sqs',
    ...three(QUEUE, '{"amount":5}', '{"amount":6}'),
    options: byOrder,
    identity: { key: 'o-1' },
  },
  {
    name: 'Kinesis, taken as one',
    source: 'kinesis',
    ...three(KINESIS, 5, 6),
    options: byOrder,
    identity: { key: 'o-1' },
  },
  {
    name: 'a DynamoDB stream, taken as one',
    source: 'dynamodb-stream',
    ...three(STREAM, '5', '6'),
    options: byOrder,
    identity: { key: 'o-1' },
  },
  { name: 'Kafka, taken as one', source: 'kafka', ...three(KAFKA, 5, 6), options: byOrder, identity: { key: 'o-1' } },
];

const inSns = (content: unknown) => FORWARDED(notification(JSON.stringify(content)));

/** What idempotentBatch takes by itself. */
export const MESSAGES: readonly Delivery[] = [
  {
    name: 'a message',
    source: 'sqs',
    ...three(QUEUE, '{"amount":5}', '{"amount":6}'),
    identity: { key: 'm-1' },
  },
  {
    name: 'a notification of SNS',
    source: 'sqs',
    ...three((amount) => inSns({ amount }), 5, 6),
    identity: { key: 'sns-1' },
  },
  {
    name: 'an event of EventBridge',
    source: 'sqs',
    ...three((amount) => FORWARDED(EVENT(amount)), 5, 6),
    identity: { key: '6a7e8feb-b491-4cf7-a9f1-bf3703467718' },
  },
  {
    name: 'a notification of S3',
    source: 'sqs',
    ...three((eTag) => FORWARDED(S3(eTag)), 'a', 'b'),
    identity: {},
  },
  {
    name: 'a notification of S3 in one of SNS',
    source: 'sqs',
    first: inSns(S3('a')),
    // S3 may send it twice: then SNS has an id for each.
    again: FORWARDED({ ...notification(JSON.stringify(S3('a'))), MessageId: fresh() }),
    other: inSns(S3('b')),
    identity: {},
  },
];
