import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DescribeTableCommand, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { LOCAL } from '../../local/dynamodb.ts';
import { type DynamoDBStoreOptions, dynamoDBStore } from '../../src/stores/dynamodb/index.ts';
import { ACTIONS } from '../../src/stores/dynamodb/item.ts';
import { createTable, engineClient } from '../engine.ts';
import { accompanied, claimed, testStore } from './contract.ts';
import { insert, replace, update } from './writes.ts';

const client = engineClient();
const sent = new Set<string>();
client.middlewareStack.add(
  (next, context) => (args) => {
    sent.add(`dynamodb:${context.commandName?.replace('Command', '')}`);
    return next(args);
  },
  { step: 'initialize' },
);

let tableName: string;
beforeAll(async () => {
  tableName = await createTable(client);
  sent.clear();
});
const open = (options: DynamoDBStoreOptions = {}) => dynamoDBStore({ client, tableName, cache: false, ...options });

testStore('DynamoDB', open);
testStore('DynamoDB, one by one', () => open({ group: false }));
testStore('DynamoDB in groups', () => accompanied(open()));
testStore('DynamoDB with its cache', () => open({ cache: 4_000 }));
testStore('DynamoDB by a document client', () =>
  open({ client: DynamoDBDocumentClient.from(client, { unmarshallOptions: { wrapNumbers: true } }) }),
);
testStore('DynamoDB by the ARN of its table', () => open({ client: takingArns(), tableName: arnOf(tableName) }));

const arnOf = (name: string): string => `arn:aws:dynamodb:${LOCAL.region}:000000000000:table/${name}`;

/** The embedded engine refuses ARNs, which DynamoDB takes wherever it takes a name, and answers with: here the client translates. */
function takingArns(): DynamoDBClient {
  const client = engineClient();
  client.middlewareStack.add(
    (next) => async (args: any) => {
      const { TableName, RequestItems, TransactItems } = args.input;
      const named = (part: any) => part && { ...part, TableName: tableName };
      const input = {
        ...args.input,
        ...(TableName && { TableName: tableName }),
        ...(RequestItems && { RequestItems: { [tableName]: RequestItems[arnOf(tableName)] } }),
        ...(TransactItems && {
          TransactItems: TransactItems.map(({ Put, Update }: any) => ({ Put: named(Put), Update: named(Update) })),
        }),
      };
      const answer: any = await next({ ...args, input });
      const { Responses } = answer.output;
      if (RequestItems && Responses) answer.output.Responses = { [arnOf(tableName)]: Responses[tableName] };
      return answer;
    },
    { step: 'initialize' },
  );
  return client;
}

const GROUP = 'dynamodb:BatchExecuteStatement';

describe('what DynamoDB is asked', () => {
  it('is just what the grant allows', async () => {
    const store = open();
    const held = claimed();
    await store.write(insert(held));
    await store.write(replace(held, held));
    await store.write(
      update(held, { kind: 'step', name: 'large', outcome: { kind: 'value', body: randomBytes(9_000) } }),
    );
    await store.load?.({ kind: 'value', stored: { at: 'nowhere', chunks: 1 } }, held.id);
    await Promise.all([claimed(), claimed()].map((next) => store.write(insert(next))));
    const asked = [...sent].flatMap((action) =>
      action === GROUP ? ['dynamodb:PartiQLInsert', 'dynamodb:PartiQLUpdate'] : action,
    );
    // The contract has scanned, which is for operators.
    expect(asked.filter((action) => action !== 'dynamodb:Scan').sort()).toEqual([...ACTIONS].sort());
  });
});

describe('the Region that is asked', () => {
  afterEach(() => vi.unstubAllEnvs());

  it.each([
    ['is that of the ARN', 'arn:aws:dynamodb:ap-south-1:000000000000:table/records', 'ap-south-1'],
    ['is that of the function for a name', 'records', 'eu-west-3'],
  ])('%s', async (_, name, region) => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(String(request.headers.authorization));
      response.end('{}');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    vi.stubEnv('AWS_REGION', 'eu-west-3');
    vi.stubEnv('AWS_ACCESS_KEY_ID', LOCAL.credentials.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', LOCAL.credentials.secretAccessKey);
    vi.stubEnv('IDEMPOTENCY_TABLE', name);
    await dynamoDBStore().write(insert(claimed()));
    server.closeAllConnections();
    server.close();
    expect(asked).toEqual([expect.stringContaining(`/${region}/dynamodb/`)]);
  });
});

describe('a store that cannot work is CONFIG_INVALID, and no retry is asked for', () => {
  const refused = (message: string) => ({
    code: 'CONFIG_INVALID',
    retryable: false,
    message: expect.stringContaining(message),
  });

  it('where the table does not exist, or in another region', async () => {
    await expect(open({ tableName: 'no-such-table' }).write(insert(claimed()))).rejects.toMatchObject(
      refused('no-such-table'),
    );
  });

  it('where the table has another key schema', async () => {
    const other = await createTable(client, 'pk');
    await expect(open({ tableName: other }).write(insert(claimed()))).rejects.toMatchObject(refused('key schema'));
    await expect(
      open({ tableName: other }).write(update(claimed(), { kind: 'release', expiresAt: 1 })),
    ).rejects.toMatchObject(refused('key schema'));
  });

  it('where the grant is for other scopes', async () => {
    const denied = Object.assign(new Error('not authorized'), { name: 'AccessDeniedException' });
    const store = dynamoDBStore({ client: { send: () => Promise.reject(denied) }, tableName });
    await expect(store.write(insert(claimed()))).rejects.toMatchObject(refused('`scopes`'));
  });

  it('where another tool keeps its items', async () => {
    const record = claimed();
    const Item = { id: { S: record.id }, status: { S: 'COMPLETED' }, expiration: { N: '1' } };
    await client.send(new PutItemCommand({ TableName: tableName, Item }));
    await expect(open().write(insert(record))).rejects.toMatchObject(refused('was not written by'));
  });

  it('where no table is named', async () => {
    await expect(dynamoDBStore({ client }).write(insert(claimed()))).rejects.toMatchObject(
      refused('IDEMPOTENCY_TABLE'),
    );
  });

  it.each([
    [{ tableName: '' }, 'tableName'],
    [{ tableName: 'a b' }, 'tableName'],
    [{ client: {} }, 'client'],
    [{ cache: 'big' }, 'cache'],
    [{ group: 'yes' }, 'group'],
    [{ table: 'x' }, 'table'],
  ])('when built with %o', (options, named) => {
    expect(() => dynamoDBStore(options as DynamoDBStoreOptions)).toThrow(
      expect.objectContaining(refused(`\`${named}\``)),
    );
  });

  it('but may be imported where there is no environment', async () => {
    expect(() => dynamoDBStore()).not.toThrow();
    expect(await client.send(new DescribeTableCommand({ TableName: tableName }))).toBeDefined();
  });
});
