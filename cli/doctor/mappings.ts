import { DescribeStreamSummaryCommand, type KinesisClient } from '@aws-sdk/client-kinesis';
import {
  type EventSourceMappingConfiguration,
  type FunctionConfiguration,
  type LambdaClient,
  paginateListAliases,
  paginateListEventSourceMappings,
} from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand, GetQueueUrlCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { consumerIn, findingsOf, type Polling, serviceOf } from '../../lib/rules/polling.ts';
import type { Properties } from '../../lib/rules/properties.ts';
import type { Report } from './findings.ts';

export interface Clients {
  readonly lambda: LambdaClient;
  readonly sqs: SQSClient;
  readonly kinesis: KinesisClient;
}

/** Judges the event sources of a function, also those of its aliases. `properties`: of the function. */
export async function lookAtMappings(
  clients: Clients,
  report: Report,
  { FunctionName = '' }: FunctionConfiguration,
  properties: Properties,
): Promise<void> {
  const mappings = await mappingsOf(clients.lambda, report, FunctionName);
  for (const mapping of mappings) {
    const at = `event source ${mapping.EventSourceArn ?? mapping.Topics?.join(', ') ?? mapping.UUID}`;
    const polling = await pollingOf(clients, report, at, mapping);
    report.judge(at, findingsOf({ ...polling, consumer: consumerIn(properties) }), 'as the rules want it');
  }
}

async function mappingsOf(
  client: LambdaClient,
  report: Report,
  name: string,
): Promise<readonly EventSourceMappingConfiguration[]> {
  const at = `function ${name}`;
  const aliases = await report.ask(at, 'event sources of its aliases', 'lambda:ListAliases', async () => {
    const all: string[] = [];
    for await (const { Aliases = [] } of paginateListAliases({ client }, { FunctionName: name }))
      all.push(...Aliases.flatMap(({ Name }) => (Name ? `${name}:${Name}` : [])));
    return all;
  });
  const found = new Map<string | undefined, EventSourceMappingConfiguration>();
  for (const FunctionName of [name, ...(aliases ?? [])]) {
    await report.ask(at, 'its event sources', 'lambda:ListEventSourceMappings', async () => {
      for await (const { EventSourceMappings = [] } of paginateListEventSourceMappings({ client }, { FunctionName }))
        for (const one of EventSourceMappings) found.set(one.UUID, one);
    });
  }
  return [...found.values()];
}

/** The API names a mapping's properties as CloudFormation does. */
async function pollingOf(
  { sqs, kinesis }: Clients,
  report: Report,
  at: string,
  mapping: EventSourceMappingConfiguration,
): Promise<Omit<Polling, 'consumer'>> {
  const properties = defined(mapping);
  const service = serviceOf(properties);
  const arn = mapping.EventSourceArn ?? '';
  if (/^arn:[^:]+:sqs:/.test(arn)) {
    const queue = await queueOf(sqs, report, at, arn);
    const dead: string | undefined = queue?.['RedrivePolicy']?.deadLetterTargetArn;
    return { properties, service, queue, deadLetters: dead ? await queueOf(sqs, report, at, dead) : undefined };
  }
  if (/^arn:[^:]+:dynamodb:/.test(arn)) return { properties, service, streamRetention: 86_400 };
  if (!/^arn:[^:]+:kinesis:/.test(arn)) return { properties, service };
  const summary = await report.ask(at, 'how long the stream keeps a record', 'kinesis:DescribeStreamSummary', () =>
    kinesis.send(new DescribeStreamSummaryCommand({ StreamARN: arn })),
  );
  const hours = summary?.StreamDescriptionSummary?.RetentionPeriodHours;
  return { properties, service, streamRetention: hours === undefined ? undefined : hours * 3_600 };
}

/** What the API does not set it gives as `null`, or as an empty object. */
function defined(mapping: EventSourceMappingConfiguration): Properties {
  const isSet = (value: unknown): boolean =>
    value !== undefined && value !== null && !(isObject(value) && Object.keys(value as object).length === 0);
  return Object.fromEntries(Object.entries(mapping).filter(([, value]) => isSet(value)));
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
}

async function queueOf(client: SQSClient, report: Report, at: string, arn: string): Promise<Properties | undefined> {
  const [, , , , account = '', name = ''] = arn.split(':');
  const attributes = await report.ask(at, `the queue ${name}`, 'sqs:GetQueueAttributes', async () => {
    const { QueueUrl } = await client.send(
      new GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account }),
    );
    const AttributeNames = ['VisibilityTimeout', 'MessageRetentionPeriod', 'RedrivePolicy', 'FifoQueue'] as const;
    return (await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] })))
      .Attributes;
  });
  if (!attributes) return undefined;
  const { RedrivePolicy, FifoQueue, ...rest } = attributes;
  const redrive = RedrivePolicy === undefined ? {} : { RedrivePolicy: JSON.parse(RedrivePolicy) };
  return { ...rest, ...redrive, FifoQueue: FifoQueue === 'true' };
}
