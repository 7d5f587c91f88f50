import type { BatchStatementResponse } from '@aws-sdk/client-dynamodb';
import { type Claimed, dynamoDBStore, type Store } from 'effectively-once';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { toItem } from '../../src/stores/dynamodb/item.ts';
import { claimed } from './contract.ts';
import { insert, update } from './writes.ts';

/** What no engine answers: refusals that bring the record, statements without an answer, keys that are left over. */
let sent: { readonly command: string; readonly input: any; readonly signal: AbortSignal | undefined }[];
let responses: (BatchStatementResponse | undefined)[];
let read: (input: any) => Promise<unknown>;
let store: Store;
beforeEach(() => {
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  sent = [];
  responses = [];
  read = async () => ({});
  const send = async (one: { input: unknown }, { abortSignal }: any): Promise<unknown> => {
    const { input } = one;
    const command = one.constructor.name.replace('Command', '');
    sent.push({ command, input, signal: abortSignal });
    if (command === 'BatchExecuteStatement') return { Responses: responses };
    return command === 'BatchGetItem' ? read(input) : {};
  };
  store = dynamoDBStore({ client: { send } as never, tableName: 'table', cache: false });
});
afterEach(() => vi.restoreAllMocks());

const fault = (Code: string, more = {}): BatchStatementResponse => ({
  Error: { Code, Message: Code, ...more } as never,
});
const landed: BatchStatementResponse = {};
const commands = () => sent.map(({ command }) => command);
const claim = (records: readonly Claimed[]) =>
  Promise.allSettled(records.map((record) => store.write(insert(record), new AbortController().signal)));
const two = (): [Claimed, Claimed] => [claimed(), claimed()];

describe('a group', () => {
  it('takes the record in the way from a refusal that brings it, and reads nothing', async () => {
    const [a, b] = two();
    responses = [fault('DuplicateItem', { Item: toItem(a) }), landed];
    expect(await claim([a, b])).toMatchObject([{ value: { done: false, found: a } }, { value: { done: true } }]);
    expect(commands()).toEqual(['BatchExecuteStatement']);
    expect(sent[0]?.input.Statements).toMatchObject(Array(2).fill({ ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }));
  });

  it('reads it consistently where a refusal does not bring it; nothing there is nothing', async () => {
    const [a, b] = two();
    responses = [fault('DuplicateItem'), fault('ConditionalCheckFailed')];
    read = async () => ({ Responses: { table: [toItem(a)] } });
    expect(await claim([a, b])).toMatchObject([
      { value: { done: false, found: a } },
      { value: { done: false, found: undefined } },
    ]);
    expect(sent[1]?.input.RequestItems.table).toMatchObject({ ConsistentRead: true });
  });

  it('lets nobody wait for what another is to be told', async () => {
    const [a, b] = two();
    responses = [fault('DuplicateItem'), landed];
    read = () => new Promise(() => {});
    const slow = store.write(insert(a));
    expect(await store.write(insert(b))).toEqual({ done: true });
    expect(await slow).toEqual({ done: true }); // alone, as the read took too long
    expect(commands()).toEqual(['BatchExecuteStatement', 'BatchGetItem', 'PutItem']);
    expect(sent[1]?.signal?.aborted).toBe(true);
  });

  it.each([
    ['is left over', async (input: any) => ({ UnprocessedKeys: input.RequestItems })],
    ['cannot be read', () => Promise.reject(new Error('down'))],
  ])('sends alone what %s, and keeps what was read', async (_, answer) => {
    const [a, b] = two();
    responses = [fault('DuplicateItem'), fault('DuplicateItem')];
    read = answer;
    await claim([a, b]);
    expect(commands()).toEqual(['BatchExecuteStatement', 'BatchGetItem', 'PutItem', 'PutItem']);
  });

  it('does not take a statement without an answer for done', async () => {
    responses = [landed];
    const [first, second] = await claim(two());
    expect(first).toMatchObject({ value: { done: true } });
    expect(second).toMatchObject({ reason: { code: 'STORE_UNAVAILABLE', isPassing: true } });
    expect((second as PromiseRejectedResult).reason.isUnwritten).toBeUndefined();
  });

  it.each(['ThrottlingError', 'ProvisionedThroughputExceeded', 'RequestLimitExceeded', 'TransactionConflict'])(
    'tells that nothing was written by a statement that meets %s',
    async (code) => {
      responses = [landed, fault(code)];
      expect((await claim(two()))[1]).toMatchObject({ reason: { isPassing: true, isUnwritten: true } });
    },
  );

  it('does not know that of one that fails', async () => {
    responses = [landed, fault('InternalServerError')];
    const [, second] = await claim(two());
    expect(second).toMatchObject({ reason: { isPassing: true } });
    expect((second as PromiseRejectedResult).reason.isUnwritten).toBeUndefined();
  });

  it('is not spoiled by a damaged record in the way of one', async () => {
    const [a, b] = two();
    responses = [fault('DuplicateItem', { Item: { id: { S: a.id } } }), landed];
    expect(await claim([a, b])).toMatchObject([{ value: { done: true } }, { value: { done: true } }]);
    expect(commands()).toEqual(['BatchExecuteStatement', 'PutItem']); // which meets it, and says so
  });

  it.each([
    ['an item that is too large', 'ValidationError', 'Item size has exceeded the maximum', false],
    ['a dialect that is not understood', 'ValidationError', "Statement wasn't well formed", true],
    ['a permission that is not given', 'AccessDenied', 'no', true],
  ])('of %s: each goes alone, and later ones too if it concerns all: %s %s %s', async (_, code, Message, isForAll) => {
    responses = [fault(code, { Message }), fault(code, { Message })];
    await Promise.all([claim(two()), claim(two())]);
    sent = [];
    responses = [landed, landed];
    await claim(two());
    expect(commands()).toEqual(isForAll ? ['PutItem', 'PutItem'] : ['BatchExecuteStatement']);
    expect(process.emitWarning).toHaveBeenCalledTimes(isForAll ? 1 : 0);
  });

  it('hands its signal on', async () => {
    responses = [landed, landed];
    await claim(two());
    expect(sent[0]?.signal).toBeInstanceOf(AbortSignal);
  });

  it('empties the steps of what it completes', async () => {
    responses = [landed, landed];
    const outcome = { kind: 'value' } as const;
    const completion = { kind: 'complete', outcome, completedAt: 1, expiresAt: 9 } as const;
    await Promise.all(two().map((held) => store.write(update(held, completion))));
    const [{ Statement, Parameters }] = sent.flatMap(({ input }) => input.Statements);
    expect(Statement).toBe(
      `UPDATE "table" SET "outcome"=?, "completedAt"=?, "expiresAt"=?, "status"=?, "steps"=?, version = version + ? REMOVE "leaseUntil" WHERE id=? AND "owner"=? AND "status"='IN_PROGRESS'`,
    );
    expect(Parameters).toContainEqual({ M: {} });
  });
});
