import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';

const rejected = DynamoDBDocumentClient.from(new DynamoDBClient());

/**
 * Keeps a record that no redelivery can mend, for somebody to look at. It would block all that come behind it otherwise.
 * `place` names it in its stream, so that it is kept once, however often it comes.
 */
export async function setAside(place: string, data: string | null | undefined, reason: unknown): Promise<void> {
  const Item = { place, data: data ?? null, reason: String(reason) };
  await rejected.send(new PutCommand({ TableName: process.env['REJECTED_TABLE'], Item }));
}
