import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { makeHandlerIdempotent } from '@aws-lambda-powertools/idempotency/middleware';
import middy from '@middy/core';
import type { SQSRecord } from 'aws-lambda';
import { context, httpEvent, sqsEvent } from '../../events.ts';
import { keysOf, type Setting, type Way } from './way.ts';

export const powertools: Way = powertoolsWith('Powertools', {});
/** As safe as ours is by default: a key that comes with another payload is refused. */
export const validating: Way = powertoolsWith('Powertools, validating', { payloadValidationJmesPath: 'body' });

type Config = NonNullable<ConstructorParameters<typeof IdempotencyConfig>[0]>;

function powertoolsWith(name: string, config: Config): Way {
  const optionsOf = ({ client, table, cache = false }: Setting, eventKeyJmesPath: string) => ({
    persistenceStore: new DynamoDBPersistenceLayer({ tableName: table, awsSdkV3Client: client }),
    config: new IdempotencyConfig({
      eventKeyJmesPath,
      useLocalCache: cache,
      maxLocalCacheSize: 1_000_000, // as many as are asked of it
      ...config,
    }),
  });
  return {
    name,
    doors: {
      handler: (setting) => {
        const handler = makeIdempotent(async (_event: object, _context: object) => setting.respond() as any, {
          ...optionsOf(setting, KEY),
        });
        return (key) => handler(httpEvent(key, setting.body), context());
      },
      Middy: (setting) => {
        const handler = middy()
          .use(makeHandlerIdempotent(optionsOf(setting, KEY)))
          .handler(async () => setting.respond());
        return (key) => Promise.resolve(handler(httpEvent(key, setting.body), context() as never, {} as never));
      },
      'batch of 10': (setting) => {
        const options = optionsOf(setting, 'messageId');
        const record = makeIdempotent(async (_record: SQSRecord) => setting.work() as any, options);
        return async (key) => {
          const lambda = context();
          options.config.registerLambdaContext(lambda);
          const processor = new BatchProcessor(EventType.SQS);
          return processPartialResponse(sqsEvent(keysOf(key, setting)), record, processor, { context: lambda });
        };
      },
    },
  };
}

const KEY = 'headers."idempotency-key"';
