import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';

const client = new DynamoDBClient({});
const TableName = 'idempotency';

export async function handler({ headers }: APIGatewayProxyEventV2) {
  const id = { S: headers['idempotency-key'] as string };
  const condition = { ConditionExpression: 'attribute_not_exists(id)' };
  await client.send(new PutItemCommand({ TableName, Item: { id }, ...condition }));
  const values = { ExpressionAttributeValues: { ':outcome': { S: '{"statusCode":201}' } } };
  const update = { UpdateExpression: 'SET outcome = :outcome', ...values };
  await client.send(new UpdateItemCommand({ TableName, Key: { id }, ...update }));
  return { statusCode: 201 };
}
