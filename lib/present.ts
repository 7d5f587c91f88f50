import type { ITable } from 'aws-cdk-lib/aws-dynamodb';

export const TABLE = 'the table of idempotency records';

/** Throws for what only somebody without types can leave out. `expected`: the names that must be set, and what they are. */
export function checkPresent(given: object | undefined, expected: Readonly<Record<string, string>>): void {
  const values = given as Readonly<Record<string, unknown>> | undefined;
  for (const [name, what] of Object.entries(expected)) {
    if ((values?.[name] ?? undefined) === undefined) throw new Error(`\`${name}\` is not set; expected ${what}`);
  }
}

/** Throws for no table, and for its resource, which has no ARN to be granted by. */
export function checkTable(table: ITable): void {
  checkPresent({ table }, { table: TABLE });
  if (table.tableArn !== undefined) return;
  throw new Error(
    `\`table\` is ${table.node?.path ?? table}; expected a Table or TableV2, or of a resource \`Table.fromTableArn\``,
  );
}
