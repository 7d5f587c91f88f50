import type { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';

/** What tests of consumers expect of the template of a stack, as it is when they ask. */
export function expectationsOf(stack: () => Stack) {
  const template = () => Template.fromStack(stack());
  return {
    template,
    mappingHas: (properties: object) => template().hasResourceProperties('AWS::Lambda::EventSourceMapping', properties),
    variablesHave: (variables: object) =>
      template().hasResourceProperties('AWS::Lambda::Function', {
        Environment: { Variables: Match.objectLike(variables) },
      }),
    granted: (Action: unknown, Resource: unknown = Match.anyValue()) =>
      template().hasResourceProperties('AWS::IAM::Policy', {
        PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Action, Resource })]) },
      }),
  };
}
