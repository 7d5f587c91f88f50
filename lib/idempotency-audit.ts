import { Annotations, type CfnResource, type IAspect } from 'aws-cdk-lib';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type { IConstruct } from 'constructs';
import { ENVIRONMENT } from '../src/environment.ts';
import { functionFacts, tableFacts, tableResource } from './facts.ts';
import { findingsOfMapping, MAPPING } from './mapping-findings.ts';
import { FUNCTION_RULES } from './rules/function.ts';
import { variablesOf } from './rules/properties.ts';
import { broken, type Finding } from './rules/rule.ts';
import { TABLE_ADVICE, TABLE_RULES } from './rules/table.ts';
import { isResource, targetOf, templateOf } from './template.ts';

export interface IdempotencyAuditProps {
  /**
   * What a broken rule becomes. A warning names its rule (`effectively-once:receive-count`) and can be acknowledged where it is right;
   * an error fails `cdk synth` and `cdk deploy`.
   * @default 'warning'
   */
  readonly report?: 'warning' | 'error';
  /**
   * Tables of records that no function names in its environment.
   * @default - those of `IDEMPOTENCY_TABLE`
   */
  readonly tables?: readonly dynamodb.ITable[];
}

/**
 * Checks any stack by the rules of the constructs: event source mappings of queues, streams and Kafka, the functions that have
 * `IDEMPOTENCY_TABLE`, and their tables. What is not known at synthesis is not judged.
 *
 * @example
 * Aspects.of(app).add(new IdempotencyAudit());
 */
export class IdempotencyAudit implements IAspect {
  private readonly report: 'warning' | 'error';
  private readonly tables: ReadonlySet<IConstruct | undefined>;
  private readonly judged = new Set<IConstruct>();

  constructor({ report = 'warning', tables = [] }: IdempotencyAuditProps = {}) {
    this.report = report;
    this.tables = new Set(tables.map(tableResource));
  }

  /** Called by CDK for each construct. */
  visit(node: IConstruct): void {
    if (isResource(node, MAPPING)) this.tell(node, findingsOfMapping(node));
    if (isResource(node, 'AWS::Lambda::Function')) this.visitFunction(node);
    if (this.tables.has(node)) this.visitTable(node as CfnResource);
  }

  private visitFunction(resource: CfnResource): void {
    const table = variablesOf(templateOf(resource).Properties)[ENVIRONMENT.table];
    if (table === undefined) return;
    this.tell(resource, broken(FUNCTION_RULES, functionFacts(resource)));
    const target = targetOf(table);
    if (target) this.visitTable(target);
  }

  private visitTable(resource: CfnResource): void {
    this.tell(resource, broken([...TABLE_RULES, ...TABLE_ADVICE], tableFacts(resource)));
  }

  private tell(resource: CfnResource, findings: readonly Finding[]): void {
    if (this.judged.has(resource)) return;
    this.judged.add(resource);
    const annotations = Annotations.of(resource);
    for (const { rule, text } of findings) {
      if (this.report === 'error') annotations.addError(`${text} [effectively-once:${rule}]`);
      else annotations.addWarningV2(`effectively-once:${rule}`, text);
    }
  }
}
