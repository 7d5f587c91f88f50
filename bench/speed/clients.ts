import { ConditionalCheckFailedException, DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';

/** An item as the wire has it. */
export type Item = Record<string, any>;

/** Makes clients of one kind. With `inTheWay`, every claim is refused, and this item is handed back. */
export type MakeClient = (inTheWay?: Item) => DynamoDBClient;

export type ClientKind = keyof typeof CLIENTS;

const LOCAL = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  endpoint: 'http://127.0.0.1:1', // nothing listens there
};

/** `send` answers at once: of the SDK, only the constructors of commands run. */
function silent(inTheWay?: Item): DynamoDBClient {
  class Silent extends DynamoDBClient {
    override async send({ input }: any): Promise<any> {
      if (inTheWay && input.Item) {
        throw new ConditionalCheckFailedException({ Item: inTheWay, message: 'refused', $metadata: {} });
      }
      return { $metadata: {}, ...(input.Statements && { Responses: input.Statements.map(() => ({})) }) };
    }
  }
  return new Silent(LOCAL);
}

/** The whole SDK, above a request handler that answers from memory. */
function stub(inTheWay?: Item): DynamoDBClient {
  const refusal = inTheWay && refusalOf(inTheWay);
  const requestHandler = {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle({ headers, body }: { headers: Record<string, string>; body: Uint8Array }) {
      const operation = headers['x-amz-target']?.split('.')[1];
      const isRefused = refusal && operation === 'PutItem';
      const answer = isRefused ? refusal : operation === 'BatchExecuteStatement' ? carriedOut(body) : EMPTY;
      return { response: { statusCode: isRefused ? 400 : 200, headers: HEADERS, body: answer } };
    },
  };
  return new DynamoDBClient({
    ...LOCAL,
    requestHandler: requestHandler as unknown as NonNullable<DynamoDBClientConfig['requestHandler']>,
  });
}

const EMPTY = Buffer.from('{}');
const HEADERS = { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'bench' };

// Counted rather than parsed: parsing would be charged to the library.
function carriedOut(body: Uint8Array): Buffer {
  const statements = new TextDecoder().decode(body).split('"Statement":').length - 1;
  return Buffer.from(`{"Responses":[${Array(statements).fill('{}').join()}]}`);
}

function refusalOf(item: Item): Buffer {
  const type = 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException';
  const text = JSON.stringify({ __type: type, message: 'refused', Item: item }, (_, value) =>
    value?.type === 'Buffer' ? Buffer.from(value.data).toString('base64') : value,
  );
  return Buffer.from(text);
}

export const CLIENTS = { silent, stub } satisfies Record<string, MakeClient>;
