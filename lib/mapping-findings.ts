import type { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import {
  functionOf,
  KAFKA,
  kafkaMapping,
  type Mapping,
  mappingOf,
  queueMapping,
  streamMapping,
} from './mapping-facts.ts';
import { KAFKA_RULES } from './rules/kafka.ts';
import { QUEUE_RULES } from './rules/queue.ts';
import { broken, type Finding } from './rules/rule.ts';
import { STREAM_RULES } from './rules/stream.ts';
import { isResource, templateOf } from './template.ts';

export const MAPPING = 'AWS::Lambda::EventSourceMapping';

/** How what is polled is judged, by its type or its ARN. */
const SOURCES: readonly { readonly is: RegExp; readonly judge: (mapping: Mapping) => Finding[] }[] = [
  {
    is: /^(AWS::SQS::Queue|arn:[^:]+:sqs:.*)$/,
    judge: (mapping) => broken(QUEUE_RULES, queueMapping(mapping)),
  },
  {
    is: /^(AWS::Kinesis::Stream|AWS::DynamoDB::(Global)?Table|arn:[^:]+:(kinesis|dynamodb):.*)$/,
    judge: (mapping) => broken(STREAM_RULES, streamMapping(mapping)),
  },
  {
    is: new RegExp(`^${KAFKA}$`),
    judge: (mapping) => broken(KAFKA_RULES, kafkaMapping(mapping)),
  },
];

/** What is wrong with the event sources of a function, wherever in the app they stand. */
export function mappingFindings(fn: IConstruct): Finding[] {
  const own = new Set<IConstruct | undefined>(fn.node.findAll());
  const isOfFunction = (mapping: CfnResource): boolean =>
    own.has(mapping) || own.has(functionOf(templateOf(mapping).Properties['FunctionName']));
  const all = fn.node.root.node.findAll().filter((node) => isResource(node, MAPPING));
  return all.filter(isOfFunction).flatMap(findingsOfMapping);
}

/** What is wrong with an event source mapping; nothing, if nobody knows what it polls. */
export function findingsOfMapping(resource: CfnResource): Finding[] {
  const mapping = mappingOf(resource);
  return SOURCES.find(({ is }) => is.test(mapping.service))?.judge(mapping) ?? [];
}
