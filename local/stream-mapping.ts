import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';

/** Reads a table's stream as Lambda does: from its beginning, in order, a batch that failed again and again. */
export function startStreamMapping(options: {
  readonly streams: DynamoDBStreamsClient;
  readonly streamArn: string;
  readonly batchSize: number;
  readonly invoke: (event: { readonly Records: readonly object[] }) => Promise<unknown>;
}): { readonly stop: () => Promise<void> } {
  const { streams, streamArn: StreamArn, batchSize: Limit, invoke } = options;
  let isStopped = false;

  const follow = async (ShardId: string | undefined): Promise<void> => {
    const from = new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' });
    let { ShardIterator } = await streams.send(from);
    while (ShardIterator && !isStopped) {
      const { Records = [], NextShardIterator } = await streams.send(new GetRecordsCommand({ ShardIterator, Limit }));
      const isDone =
        Records.length === 0 ||
        (await invoke({ Records }).then(
          () => true,
          () => false,
        ));
      if (isDone) ShardIterator = NextShardIterator;
      if (Records.length === 0 || !isDone) await sleep(20);
    }
  };

  const run = async (): Promise<void> => {
    const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }));
    await Promise.all((StreamDescription?.Shards ?? []).map((shard) => follow(shard.ShardId)));
  };
  const ended = run().catch((error) => {
    if (!isStopped) throw error;
  });
  return {
    stop: async () => {
      isStopped = true;
      await ended;
    },
  };
}
