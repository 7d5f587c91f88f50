import type { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import {
  kafkaMapping,
  type Mapping,
  mappingOf,
  queueMapping,
  SELF_MANAGED_KAFKA,
  streamMapping,
} from './mapping-facts.ts';
import { KAFKA_RULES } from './rules/kafka.ts';
import { QUEUE_RULES } from './rules/queue.ts';
import { broken, type Finding } from './rules/rule.ts';
import { STREAM_RULES } from './rules/stream.ts';
import { isResource } from './template.ts';

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
    is: new RegExp(`^(AWS::MSK::(Serverless)?Cluster|arn:[^:]+:kafka:.*|${SELF_MANAGED_KAFKA})$`),
    judge: (mapping) => broken(KAFKA_RULES, kafkaMapping(mapping)),
  },
];

/** What is wrong with the event sources that were added to a construct. */
export function mappingFindings(construct: IConstruct): Finding[] {
  return construct.node.findAll().flatMap((node) => (isResource(node, MAPPING) ? findingsOfMapping(node) : []));
}

/** What is wrong with an event source mapping; nothing, if nobody knows what it polls. */
export function findingsOfMapping(resource: CfnResource): Finding[] {
  const mapping = mappingOf(resource);
  return SOURCES.find(({ is }) => is.test(mapping.service))?.judge(mapping) ?? [];
}
