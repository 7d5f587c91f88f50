import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { broken } from '../../lib/rules/rule.ts';
import { TABLE_ADVICE, TABLE_RULES, type TableFacts } from '../../lib/rules/table.ts';
import { storeError } from '../../src/stores/dynamodb/errors.ts';
import type { Connection } from '../command.ts';
import { type Report, Unusable } from './findings.ts';

/** Looks at the table, and gives its ARN, if that may be known. Throws where there is none. */
export async function lookAtTable({ client, table }: Connection, report: Report): Promise<string | undefined> {
  const at = `table ${table}`;
  const TableName = table;
  const described = await report.ask(at, 'the key schema', 'dynamodb:DescribeTable', async () => {
    try {
      return (await client.send(new DescribeTableCommand({ TableName }))).Table;
    } catch (error) {
      if ((error as Error).name === 'AccessDeniedException') throw error;
      throw new Unusable(storeError(error, table));
    }
  });
  const ttl = await report.ask(at, 'the TTL', 'dynamodb:DescribeTimeToLive', () =>
    client.send(new DescribeTimeToLiveCommand({ TableName })),
  );
  const backups = await report.ask(at, 'point-in-time recovery', 'dynamodb:DescribeContinuousBackups', () =>
    client.send(new DescribeContinuousBackupsCommand({ TableName })),
  );
  const facts: TableFacts = {
    ...(described && schemaOf(described)),
    ...(ttl && { ttl: ttlIn(ttl.TimeToLiveDescription) }),
    ...(backups && {
      isRecoverable:
        backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED',
    }),
  };
  const checked = Object.entries({ key: 'key schema', ttl: 'TTL', isRecoverable: 'point-in-time recovery' });
  const fine = checked.flatMap(([fact, name]) => (fact in facts ? name : [])).join(', ');
  if (fine !== '') report.judge(at, broken([...TABLE_RULES, ...TABLE_ADVICE], facts), `${fine}: as they should be`);
  return described?.TableArn;
}

function schemaOf({ KeySchema = [], AttributeDefinitions = [], ...table }: TableDescription): TableFacts {
  const typeOf = (name?: string) =>
    AttributeDefinitions.find(({ AttributeName }) => AttributeName === name)?.AttributeType;
  return {
    key: KeySchema.map(({ AttributeName }) => `${AttributeName} (${typeOf(AttributeName)})`).join(', '),
    isProtected: table.DeletionProtectionEnabled ?? false,
    isStrong: table.MultiRegionConsistency === 'STRONG',
    regions: 1 + (table.Replicas?.length ?? 0),
  };
}

function ttlIn(description: { readonly TimeToLiveStatus?: string; readonly AttributeName?: string } = {}): string {
  const { TimeToLiveStatus: status = 'DISABLED', AttributeName } = description;
  return status.startsWith('ENABL') && AttributeName ? AttributeName : 'not set';
}
