import { LambdaClient, ListFunctionsCommand, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { Cloud } from '../../local/cloud.ts';
import { clientOf, LOCAL } from '../../local/dynamodb.ts';
import { sqsClientOf } from '../../local/sqs.ts';

/** So that a run is over in minutes; all of it is set after the deployment. */
export const SHORTENED = { timeoutSeconds: 4, visibilitySeconds: 6 } as const;

export interface Shop {
  readonly api: string;
  /** Has the functions send what they ask of AWS to another endpoint, and say who asks. */
  readonly redirect: (endpoint: string) => Promise<void>;
  /** Sends an order to be charged, again. */
  readonly send: (body: string) => Promise<void>;
  /** Messages in the queue, whether or not they are being worked on. */
  readonly queued: () => Promise<number>;
  /** Takes what is in the dead-letter queue. */
  readonly deadLetters: () => Promise<string[]>;
  readonly read: (table: Table) => Promise<Record<string, any>[]>;
}

export type Table = 'orders' | 'outbox' | 'ledger' | 'records';

const VARIABLES: Readonly<Record<Table, string>> = {
  orders: 'ORDERS_TABLE',
  outbox: 'OUTBOX_TABLE',
  ledger: 'LEDGER_TABLE',
  records: 'IDEMPOTENCY_TABLE',
};

/** The deployed stack, past its functions: the checks must not depend on what is checked. */
export async function shopIn({ endpoint, outputs }: Cloud): Promise<Shop> {
  const { ApiUrl: api = '', QueueUrl = '' } = outputs['Orders'] ?? {};
  const lambda = new LambdaClient({ ...LOCAL, endpoint });
  const tables = DynamoDBDocumentClient.from(clientOf({ endpoint }));
  const queue = sqsClientOf({ endpoint });

  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
  const variables = Object.assign({}, ...Functions.map(({ Environment }) => Environment?.Variables));

  await queue.send(
    new SetQueueAttributesCommand({
      QueueUrl,
      Attributes: { VisibilityTimeout: `${SHORTENED.visibilitySeconds}` },
    }),
  );
  const attributesOf = async (url: string): Promise<Record<string, string>> => {
    const { Attributes = {} } = await queue.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }),
    );
    return Attributes;
  };
  const { deadLetterTargetArn } = JSON.parse((await attributesOf(QueueUrl))['RedrivePolicy'] ?? '{}');
  const QueueName: string = deadLetterTargetArn.split(':').at(-1);
  const { QueueUrl: deadLetterUrl = '' } = await queue.send(new GetQueueUrlCommand({ QueueName }));

  return {
    api,

    async redirect(target) {
      for (const { FunctionName, Environment } of Functions) {
        const given = Environment?.Variables ?? {};
        const Variables = {
          ...given,
          ...(given['IDEMPOTENCY_FUNCTION_TIMEOUT'] && {
            IDEMPOTENCY_FUNCTION_TIMEOUT: `${SHORTENED.timeoutSeconds}s`,
          }),
          // The SDK sends to the host of a queue's URL.
          ...(given['ORDER_QUEUE_URL'] && {
            ORDER_QUEUE_URL: `${target}${new URL(given['ORDER_QUEUE_URL']).pathname}`,
          }),
          AWS_ENDPOINT_URL_DYNAMODB: target,
          // The SDK says the id of the app in every request.
          NODE_OPTIONS: '--import=data:text/javascript,process.env.AWS_SDK_UA_APP_ID=process.pid',
        };
        const TracingConfig = { Mode: 'Active' } as const; // and who is traced, the trace
        const Timeout = SHORTENED.timeoutSeconds;
        await lambda.send(
          new UpdateFunctionConfigurationCommand({ FunctionName, Timeout, TracingConfig, Environment: { Variables } }),
        );
      }
    },

    async send(MessageBody) {
      await queue.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    },

    async queued() {
      const found = await attributesOf(QueueUrl);
      const counts = ['', 'NotVisible', 'Delayed'].map((which) => found[`ApproximateNumberOfMessages${which}`]);
      return counts.reduce((sum, count) => sum + Number(count ?? 0), 0);
    },

    async deadLetters() {
      const bodies: string[] = [];
      for (;;) {
        const { Messages = [] } = await queue.send(
          new ReceiveMessageCommand({ QueueUrl: deadLetterUrl, MaxNumberOfMessages: 10 }),
        );
        if (Messages.length === 0) return bodies;
        for (const { Body = '', ReceiptHandle } of Messages as Message[]) {
          bodies.push(Body);
          await queue.send(new DeleteMessageCommand({ QueueUrl: deadLetterUrl, ReceiptHandle }));
        }
      }
    },

    async read(table) {
      const items: Record<string, any>[] = [];
      let ExclusiveStartKey: Record<string, any> | undefined;
      do {
        const page = await tables.send(
          new ScanCommand({ TableName: variables[VARIABLES[table]], ConsistentRead: true, ExclusiveStartKey }),
        );
        items.push(...(page.Items ?? []));
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey);
      return items;
    },
  };
}
