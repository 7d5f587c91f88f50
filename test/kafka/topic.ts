import { setTimeout as sleep } from 'node:timers/promises';
import { Admin, Producer } from '@platformatic/kafka';
import type { Kafka } from '../../local/kafka.ts';
import { PARTITIONS, type PlannedMessage } from './plan.ts';

/** A topic, and the offsets at which a group of consumers goes on: a number for each partition. */
export interface Topic {
  readonly send: (messages: readonly PlannedMessage[]) => Promise<void>;
  /** Behind the last message. */
  readonly ends: () => Promise<number[]>;
  readonly checkpoints: () => Promise<number[]>;
  /** Takes a consumer that has died out of the group, and has the next one begin so many messages earlier. */
  readonly rewind: (by: readonly number[]) => Promise<Rewound>;
  readonly close: () => Promise<void>;
}

export interface Rewound {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

const NUMBERS = Array.from({ length: PARTITIONS }, (_, partition) => partition);
const LATEST = -1n;

export async function createTopic(
  { bootstrapServer }: Pick<Kafka, 'bootstrapServer'>,
  { topic, group }: { readonly topic: string; readonly group: string },
): Promise<Topic> {
  const common = { clientId: 'test', bootstrapBrokers: [bootstrapServer] };
  const admin = new Admin(common);
  // Idempotent: no duplicate is in the topic but those of the plan.
  const producer = new Producer({ ...common, idempotent: true });
  await admin.createTopics({ topics: [topic], partitions: PARTITIONS, replicas: 1 });

  const checkpoints = async (): Promise<number[]> => {
    const [found] = await admin.listConsumerGroupOffsets({ groups: [group] });
    const partitions = found?.topics.find(({ name }) => name === topic)?.partitions;
    return NUMBERS.map((number) => {
      const { committedOffset = 0n } = partitions?.find(({ partitionIndex }) => partitionIndex === number) ?? {};
      return Math.max(0, Number(committedOffset)); // before the first there is none, or -1
    });
  };

  return {
    checkpoints,

    async send(messages) {
      await producer.send({
        messages: messages.map(({ partition, key, value }) => ({
          topic,
          partition,
          key: Buffer.from(key),
          ...(value !== undefined && { value: Buffer.from(value) }),
        })),
      });
    },

    async ends() {
      const partitions = NUMBERS.map((partitionIndex) => ({ partitionIndex, timestamp: LATEST }));
      const [found] = await admin.listOffsets({ topics: [{ name: topic, partitions }] });
      return NUMBERS.map((number) =>
        Number(found?.partitions.find(({ partitionIndex }) => partitionIndex === number)?.offset),
      );
    },

    async rewind(by) {
      await emptied(admin, group);
      const from = await checkpoints();
      const to = from.map((offset, partition) => Math.max(0, offset - (by[partition] ?? 0)));
      const partitionOffsets = to.map((offset, partition) => ({ partition, offset: BigInt(offset) }));
      await admin.alterConsumerGroupOffsets({ groupId: group, topics: [{ name: topic, partitionOffsets }] });
      return { from, to };
    },

    async close() {
      await Promise.all([admin.close(), producer.close()]);
    },
  };
}

/** A broker waits for a member that died until its session times out, unless it is told. */
async function emptied(admin: Admin, groupId: string): Promise<void> {
  for (;;) {
    const members = (await admin.describeGroups({ groups: [groupId] })).get(groupId)?.members.size ?? 0;
    if (members === 0) return;
    await admin.removeMembersFromConsumerGroup({ groupId, members: null });
    await sleep(50);
  }
}
