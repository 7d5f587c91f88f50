import type { CfnResource } from 'aws-cdk-lib';
import { consumerIn, type Polling, queueFactsOf, serviceOf } from './rules/polling.ts';
import { numberIn, type Properties } from './rules/properties.ts';
import type { QueueFacts } from './rules/queue.ts';
import { isResource, targetOf, templateOf } from './template.ts';

/** An event source mapping as CloudFormation will read it, and what it stands between. */
export function pollingOf(resource: CfnResource): Polling {
  const { Properties: properties } = templateOf(resource);
  const { FunctionName, DestinationConfig } = properties;
  const arn = polledArn(properties['EventSourceArn']);
  const source = targetOf(arn);
  const fn = functionOf(FunctionName);
  const destination = targetOf(DestinationConfig?.OnFailure?.Destination);
  return {
    properties,
    service: serviceOf({ ...properties, EventSourceArn: arn }, source?.cfnResourceType),
    consumer: fn ? consumerIn(templateOf(fn).Properties) : {},
    queue: source && templateOf(source).Properties,
    deadLetters: source && deadLettersOf(source),
    streamRetention: source ? streamRetention(source) : importedRetention(String(arn)),
    destination: destination && templateOf(destination).Properties,
  };
}

/** With enhanced fan-out a consumer of the stream stands between, which names it. */
function polledArn(arn: unknown): unknown {
  const target = targetOf(arn);
  return target && isResource(target, 'AWS::Kinesis::StreamConsumer')
    ? templateOf(target).Properties['StreamARN']
    : arn;
}

const FUNCTION = 'AWS::Lambda::Function';

/** The function that a mapping invokes, also by an alias or a version. */
export function functionOf(name: unknown): CfnResource | undefined {
  const target = targetOf(name);
  if (!target || isResource(target, FUNCTION)) return target;
  return functionOf(templateOf(target).Properties['FunctionName']);
}

/** What is known of a queue. */
export function queueFacts(queue: CfnResource | undefined): QueueFacts {
  return queue ? queueFactsOf(templateOf(queue).Properties, deadLettersOf(queue)) : {};
}

function deadLettersOf(queue: CfnResource): Properties | undefined {
  const dead = targetOf(templateOf(queue).Properties['RedrivePolicy']?.deadLetterTargetArn);
  return dead && templateOf(dead).Properties;
}

export const DAY_S = 86_400;

/** Of a table every stream keeps a record for a day; how long an imported one of Kinesis does, its owner knows. */
function importedRetention(arn: string): number | undefined {
  return /^arn:[^:]+:dynamodb:/.test(arn) ? DAY_S : undefined;
}

/** Seconds that a stream keeps a record; undefined: not known. */
export function streamRetention(source: CfnResource): number | undefined {
  if (!isResource(source, 'AWS::Kinesis::Stream')) return DAY_S;
  const hours = numberIn(templateOf(source).Properties['RetentionPeriodHours'], 24);
  return hours && hours * 3_600;
}
