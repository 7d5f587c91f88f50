import { CfnResource, DefaultTokenResolver, type IResolvable, Reference, Tokenization } from 'aws-cdk-lib';
import { Construct, type IConstruct } from 'constructs';

/** A resource as CloudFormation will read it, overrides included. A reference is `{ Ref }` to the construct it points at. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, any>>;
  readonly DeletionPolicy?: string;
}

export function isResource(construct: IConstruct, ...types: readonly string[]): construct is CfnResource {
  return CfnResource.isCfnResource(construct) && types.includes(construct.cfnResourceType);
}

/** Reads a resource before synthesis: what nobody knows until deployment is an object. */
export function templateOf(resource: CfnResource): Resource {
  // Not in CDK's declarations, but the one place where properties, later changes and overrides have met.
  const { Resources } = resolved(resource, (resource as any)._toCloudFormation());
  const [template] = Object.values<any>(Resources);
  return { ...template, Properties: template.Properties ?? {} };
}

/** A value as it will stand in the template of a construct, references as in {@link Resource}. */
export function resolved(scope: IConstruct, value: unknown): any {
  return Tokenization.resolve(value, { scope, resolver: new Referring(), preparing: false });
}

/** The resource that a value refers to, by its name or an attribute, or a part of them. */
export function targetOf(value: unknown): CfnResource | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Construct.isConstruct(value)) return CfnResource.isCfnResource(value) ? value : undefined;
  for (const part of Object.values(value)) {
    const target = targetOf(part);
    if (target) return target;
  }
  return undefined;
}

/** A text to compare values of templates by. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part) => (Construct.isConstruct(part) ? part.node.path : part)) ?? 'not set';
}

class Referring extends DefaultTokenResolver {
  constructor() {
    // Of a name with something before or behind it, as that of an alias, the reference is what matters.
    super({ join: (left, right) => [left, right].find(targetOf) ?? `${left ?? ''}${right ?? ''}` });
  }

  override resolveToken(token: IResolvable, ...rest: [any, any]): any {
    return Reference.isReference(token) ? { Ref: token.target } : super.resolveToken(token, ...rest);
  }
}
