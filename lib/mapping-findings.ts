import type { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { functionOf, pollingOf } from './mapping-facts.ts';
import { findingsOf } from './rules/polling.ts';
import type { Finding } from './rules/rule.ts';
import { isResource, templateOf } from './template.ts';

export const MAPPING = 'AWS::Lambda::EventSourceMapping';

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
  return findingsOf(pollingOf(resource));
}
