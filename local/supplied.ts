import { CloudFormationClient, GetTemplateCommand, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import { clientOf, LOCAL } from './dynamodb.ts';

/** Switches on the TTL of every table whose template has it: MiniStack's CloudFormation leaves that out. */
export async function supplyTtl(
  endpoint: string,
  stacks: readonly string[],
  tell: (line: string) => void,
): Promise<void> {
  const cloudFormation = new CloudFormationClient({ ...LOCAL, endpoint });
  const dynamodb = clientOf({ endpoint });
  for (const StackName of stacks) {
    const { TemplateBody = '{}' } = await cloudFormation.send(new GetTemplateCommand({ StackName }));
    const { Resources } = JSON.parse(TemplateBody);
    const { StackResourceSummaries = [] } = await cloudFormation.send(new ListStackResourcesCommand({ StackName }));
    for (const { LogicalResourceId = '', PhysicalResourceId: TableName } of StackResourceSummaries) {
      const { TimeToLiveSpecification } = Resources[LogicalResourceId]?.Properties ?? {};
      if (!TimeToLiveSpecification) continue;
      await dynamodb.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
      tell(`Switched on the TTL of ${TableName}, which this cloud leaves out.`);
    }
  }
  cloudFormation.destroy();
  dynamodb.destroy();
}
