/** The sidebar: titles by the name of a page in `docs`, in the order in which a newcomer needs them. Every page of `docs` has a place here. */
export const NAV: readonly (readonly [section: string, pages: Readonly<Record<string, string>>])[] = [
  [
    'Start',
    {
      index: 'What it is',
      'getting-started': 'Getting started',
      middy: 'Middy',
      handlers: 'Plain handlers and functions',
    },
  ],
  [
    'Event sources',
    {
      sources: 'Keys, payloads, callers',
      http: 'HTTP',
      sqs: 'SQS',
      batches: 'Batches',
      streams: 'Kinesis, DynamoDB streams',
      kafka: 'Kafka',
      eventbridge: 'EventBridge, SNS, S3, Scheduler',
      'step-functions': 'Step Functions',
      appsync: 'AppSync, WebSockets',
    },
  ],
  [
    'Effects',
    {
      steps: 'Steps and commit',
      unknown: 'Unknown outcomes',
      results: 'Results',
      testing: 'Testing',
    },
  ],
  [
    'Callers',
    {
      client: "The caller's half",
    },
  ],
  [
    'Operations',
    {
      operate: 'Operate',
      console: 'Console',
      telemetry: 'Telemetry',
    },
  ],
  [
    'Recipes',
    {
      recipes: 'All recipes',
      webhooks: 'Webhooks',
      sagas: 'Outbox, transfer, saga',
    },
  ],
  [
    'Infrastructure',
    {
      constructs: 'Constructs',
      'without-constructs': 'Without our constructs',
      powertools: 'Migrate from Powertools',
    },
  ],
  [
    'Reference',
    {
      configuration: 'Configuration',
      errors: 'Errors',
      events: 'Events',
      items: 'Items of the table',
      limits: 'Limits and costs',
      speed: 'Speed',
      faq: 'Questions',
    },
  ],
  [
    'Trust',
    {
      correctness: 'Correctness',
      hazards: 'Hazards',
      engines: 'Engines',
      security: 'Security',
      changelog: 'Changelog',
    },
  ],
];

/** The doors of the package, by the module that the API reference is made of. */
export const DOORS: Readonly<Record<string, string>> = {
  'src/index.ts': 'effectively-once',
  'src/middy/index.ts': 'effectively-once/middy',
  'src/client/index.ts': 'effectively-once/client',
  'src/sqs/index.ts': 'effectively-once/sqs',
  'src/observe/index.ts': 'effectively-once/observe',
  'src/operator/index.ts': 'effectively-once/operator',
  'src/testing/index.ts': 'effectively-once/testing',
  'lib/index.ts': 'effectively-once/cdk',
};
