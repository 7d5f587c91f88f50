import { type Codec, dynamoDBStore, runOnce, TerminalError } from 'effectively-once';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTable, engineClient } from './engine.ts';

let tableName: string;
beforeAll(async () => {
  tableName = await createTable(engineClient());
});
let key: string;
beforeEach(() => {
  key = crypto.randomUUID();
});

/** A stand-in for a cipher, which knows a class besides. */
class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
}
const turned = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0xff);
const codec: Codec = {
  name: 'turned',
  encode: (value) => {
    if (value === 'unspeakable') throw new Error('never');
    return turned(Buffer.from(JSON.stringify(value instanceof Money ? { $money: value.cents } : { is: value })));
  },
  decode: (bytes) => {
    const { is, $money } = JSON.parse(Buffer.from(turned(bytes)).toString());
    bytes.fill(0); // its own to spoil
    return $money === undefined ? is : new Money($money);
  },
};

const run = (fn: () => unknown, options = {}) =>
  runOnce(
    {
      store: dynamoDBStore({ client: engineClient(), tableName }),
      scope: 'test',
      key,
      lease: '10s',
      codec,
      ...options,
    },
    fn,
  );

describe('the option codec', () => {
  it.each([new Money(5), undefined, 'text', 'x'.repeat(50_000)])(
    'writes and reads values in its own way: %o',
    async (value) => {
      await run(() => value);
      for (let time = 0; time < 2; time++) expect(await run(() => 'never')).toStrictEqual(value);
    },
  );

  it('writes terminal errors, too', async () => {
    await run(() => Promise.reject(Object.assign(new TerminalError('declined'), { reason: 'no money' }))).catch(
      () => {},
    );
    await expect(run(() => 'never')).rejects.toMatchObject({ message: 'declined', reason: 'no money' });
  });

  it('lets nobody read what it wrote who does not know it: the effect is done all the same', async () => {
    await run(() => 'secret');
    const unreadable = { code: 'RESULT_UNAVAILABLE', message: expect.stringContaining('"turned"') };
    await expect(run(() => 'never', { codec: undefined })).rejects.toMatchObject(unreadable);
  });

  it('does not keep anybody from reading what was written before it', async () => {
    await run(() => ({ plain: 1n }), { codec: undefined });
    expect(await run(() => 'never')).toEqual({ plain: 1n });
  });

  it('may refuse a value, which is recorded as done without it', async () => {
    expect(await run(() => 'unspeakable')).toBe('unspeakable');
    await expect(run(() => 'never')).rejects.toMatchObject({ code: 'RESULT_UNAVAILABLE' });
  });

  it('that cannot read makes a value unavailable, and never a rerun', async () => {
    await run(() => 'text');
    const broken = { ...codec, decode: () => JSON.parse('{') };
    await expect(run(() => 'never', { codec: broken })).rejects.toMatchObject({ code: 'RESULT_UNAVAILABLE' });
  });
});
