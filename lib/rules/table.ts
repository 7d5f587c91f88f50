import { PARTITION_KEY, TTL_ATTRIBUTE } from '../../src/stores/dynamodb/item.ts';
import type { Rule } from './rule.ts';

/** The table of records. */
export interface TableFacts {
  /** Names and types: `id (S)`; with a sort key `id (S), sort (S)`. */
  readonly key?: string;
  /** The TTL attribute. */
  readonly ttl?: string;
  /** A global table of strong consistency, which can have no TTL. */
  readonly isStrong?: boolean;
  readonly regions?: number;
  readonly isRecoverable?: boolean;
  readonly isProtected?: boolean;
  readonly removalPolicy?: string;
}

const KEY = `${PARTITION_KEY} (S)`;

/** Without these a table is dead, or grows for ever. */
export const TABLE_RULES: readonly Rule<TableFacts>[] = [
  {
    id: 'key-schema',
    judge: ({ key }) =>
      key === undefined || key === KEY
        ? undefined
        : `the key of the table is ${key}; expected ${KEY} and no sort key, as IdempotencyTable has`,
  },
  {
    id: 'ttl',
    judge: ({ ttl, isStrong }) =>
      isStrong || ttl === undefined || ttl === TTL_ATTRIBUTE
        ? undefined
        : `\`timeToLiveAttribute\` is ${ttl}; expected ${TTL_ATTRIBUTE}: otherwise no record is ever deleted`,
  },
];

/** Whoever loses the table runs every retried request again. */
export const TABLE_ADVICE: readonly Rule<TableFacts>[] = [
  {
    id: 'recovery',
    judge: ({ isRecoverable }) =>
      isRecoverable === false ? '`pointInTimeRecoveryEnabled` is false; expected true' : undefined,
  },
  {
    id: 'deletion-protection',
    judge: ({ isProtected }) => (isProtected === false ? '`deletionProtection` is false; expected true' : undefined),
  },
  {
    id: 'removal-policy',
    judge: ({ removalPolicy }) =>
      removalPolicy === undefined || removalPolicy.startsWith('Retain')
        ? undefined
        : `\`removalPolicy\` is ${removalPolicy}; expected Retain`,
  },
  {
    id: 'regions',
    judge: ({ regions = 1, isStrong }) =>
      regions <= 1 || isStrong
        ? undefined
        : `the table is in ${regions} Regions, eventually consistent; expected one, or that a key is always sent to the same Region: two Regions can both claim it`,
  },
];
