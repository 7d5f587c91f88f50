import type { MSKRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { recordOf, unfinished } from './poller.ts';

const record = (offset: number): MSKRecord =>
  recordOf({ topic: 'trips', partition: 0, offset: BigInt(offset), timestamp: 1n, headers: new Map() } as any);

const RECORDS = [record(7), record(8), record(9)];
const named = (...identifiers: unknown[]) => ({
  batchItemFailures: identifiers.map((itemIdentifier) => ({ itemIdentifier })),
});
const at = (offset: unknown, partition = 'trips-0') => ({ partition, offset });

describe('what comes again of a batch, as Lambda has it', () => {
  it.each([
    ['null', null],
    ['nothing', undefined],
    ['an empty object', {}],
    ['no failures', named()],
    ['null for failures', { batchItemFailures: null }],
  ])('is nothing after an answer of %s', (_, answer) => {
    expect(unfinished(RECORDS, answer)).toEqual([]);
  });

  it('is just what the answer names, in the order of the offsets', () => {
    expect(unfinished(RECORDS, named(at(9), at(7)))).toEqual([record(7), record(9)]);
  });

  it.each([
    ['an offset that was not in the batch', named(at(8), at(3))],
    ['another partition', named(at(8, 'trips-1'))],
    ['an offset as text', named(at('8'))],
    ['flat text', named('trips-0-8')],
    ['a failure without its identifier', { batchItemFailures: [{}] }],
    ['null for a failure', { batchItemFailures: [null] }],
    ['failures that are no list', { batchItemFailures: 'trips-0-8' }],
  ])('is all of it after an answer with %s', (_, answer) => {
    expect(unfinished(RECORDS, answer)).toEqual(RECORDS);
  });
});

describe('a message, as Lambda writes it', () => {
  it('has key and value in base64, and headers as lists of bytes', () => {
    const headers = new Map([[Buffer.from('traceparent'), Buffer.from('00')]]);
    const message = { topic: 'trips', partition: 3, offset: 12n, timestamp: 1_795_703_892_398n, headers };
    expect(recordOf({ ...message, key: Buffer.from('k'), value: Buffer.from('{}') } as any)).toEqual({
      topic: 'trips',
      partition: 3,
      offset: 12,
      timestamp: 1_795_703_892_398,
      timestampType: 'CREATE_TIME',
      key: 'aw==',
      value: 'e30=',
      headers: [{ traceparent: [48, 48] }],
    });
  });

  it('has no value where it is a tombstone', () => {
    expect(
      recordOf({ topic: 't', partition: 0, offset: 0n, timestamp: 0n, value: null, headers: new Map() } as any).value,
    ).toBeUndefined();
  });
});
