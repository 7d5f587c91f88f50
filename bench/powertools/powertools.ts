import { readFileSync } from 'node:fs';
import {
  IdempotencyConfig,
  IdempotencyInconsistentStateError,
  makeIdempotent,
} from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { makeHandlerIdempotent } from '@aws-lambda-powertools/idempotency/middleware';
import type { Library, Operation } from './library.ts';

const manifest = new URL('node_modules/@aws-lambda-powertools/idempotency/package.json', import.meta.url);

// Its peers, the SDK and Middy, are those of the repository: the same for both libraries.
export const powertools: Library = {
  name: `Powertools ${JSON.parse(readFileSync(manifest, 'utf8')).version}`,
  earlyTimeout: (respond) => respond,
  passingError: () => new IdempotencyInconsistentStateError('of an inner operation'),
  open({ client, tableName, hasCache }) {
    const persistenceStore = new DynamoDBPersistenceLayer({ tableName, awsSdkV3Client: client });
    return {
      handler: (operation, handler) =>
        makeIdempotent(
          async (...[event, context]: Parameters<typeof handler>) => handler(event, context),
          of(operation),
        ),
      middleware: (operation) => makeHandlerIdempotent(of(operation)),
      function: (operation, fn) => {
        const options = of(operation);
        return {
          enter: (context) => options.config.registerLambdaContext(context),
          call: makeIdempotent(async (event) => fn(event), options),
        };
      },
    };

    function of({ scope = 'orders', key = ['orderId'], comparesPayload, retentionSeconds }: Operation) {
      const config = new IdempotencyConfig({
        eventKeyJmesPath: key.length === 1 ? key[0] : `[${key.join(', ')}]`,
        useLocalCache: hasCache ?? false,
        ...(comparesPayload && { payloadValidationJmesPath: 'payload' }),
        ...(retentionSeconds && { expiresAfterSeconds: retentionSeconds }),
      });
      return { persistenceStore, config, keyPrefix: scope };
    }
  },
};
