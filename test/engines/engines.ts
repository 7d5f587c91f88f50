import { type Engine, startDynoxide } from '../../local/dynamodb.ts';
import { installDynamoDBLocal, startDynamoDBLocal } from '../../local/dynamodb-local.ts';
import { installMiniStack, startMiniStack } from '../../local/ministack.ts';
import type { Server } from '../../local/server.ts';

interface Installable {
  readonly name: string;
  readonly install: () => Promise<void>;
  readonly start: () => Promise<Engine & Server>;
}

/** The DynamoDBs that keep the store contract. */
export const ENGINES: readonly Installable[] = [
  { name: 'dynoxide', install: async () => {}, start: startDynoxide },
  { name: 'DynamoDB Local', install: installDynamoDBLocal, start: startDynamoDBLocal },
  { name: 'MiniStack', install: installMiniStack, start: () => startMiniStack({ port: 0 }) },
];
