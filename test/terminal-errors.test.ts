import { randomBytes } from 'node:crypto';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { type Codec, type Execution, TerminalError } from 'effectively-once';
import { beforeEach, describe, expect, it } from 'vitest';
import { refuses } from './faults.ts';
import { type Request, WAYS, type WayOptions } from './ways.ts';
import { worldOfTests } from './world.ts';

const world = worldOfTests('a table for each test');
const KB = 1024;

class Declined extends TerminalError {
  override name = 'Declined';
  readonly statusCode = 402;
}

describe.each(WAYS)('$name', ({ build }) => {
  let request: Request;
  let runs: number;
  beforeEach(() => {
    request = { key: crypto.randomUUID(), payload: 1 };
    runs = 0;
  });
  const way = (handler: (execution: Execution) => unknown, options: Partial<WayOptions> = {}) =>
    build(
      (execution) => {
        runs++;
        return handler(execution);
      },
      { store: world.store(), ...options },
    );

  describe('a terminal error whose details are lost is an error all the same', () => {
    const declined = (own: object = {}, message = 'no funds') => Object.assign(new Declined(message), own);
    const kept = { error: expect.objectContaining({ name: 'Declined', message: 'no funds', statusCode: 402 }) };

    it('as its codec refuses it', async () => {
      const codec: Codec = {
        name: 'values',
        encode: () => {
          throw new Error('no');
        },
        decode: () => 1,
      };
      const call = way(() => Promise.reject(declined({ reason: 'limit' })), { codec });
      expect([await call(request), await call(request), runs]).toEqual([kept, kept, 1]);
    });

    it('as it is too large', async () => {
      const call = way(() => Promise.reject(declined({ trace: randomBytes(9 * KB * KB) })));
      expect([await call(request), await call(request), runs]).toEqual([kept, kept, 1]);
    });

    it('as it cannot be written apart', async () => {
      const denied = refuses('AccessDeniedException');
      const call = way(() => Promise.reject(declined({ trace: randomBytes(500 * KB) })));
      world.aws().next('PutItem', (apply) => apply(), denied, denied);
      expect([await call(request), await call(request), runs]).toEqual([kept, kept, 1]);
    });

    it('as a part of it is gone', async () => {
      const call = way(() => Promise.reject(declined({ trace: randomBytes(100 * KB) })));
      await call(request);
      const chunk = (await world.items()).find(({ bytes }) => bytes);
      const Key = { id: chunk?.['id'] as { S: string } };
      await world.aws().client.send(new DeleteItemCommand({ TableName: world.tableName(), Key }));
      expect([await call(request), runs]).toEqual([kept, 1]);
    });

    it('as it is written by a codec that is no longer there', async () => {
      const codec: Codec = { name: 'old', encode: (value) => Buffer.from(JSON.stringify(value)), decode: () => 1 };
      await way(() => Promise.reject(declined({ reason: 'limit' })), { codec })(request);
      expect(await way(() => 'never')(request)).toEqual(kept);
    });

    it('with its message cut', async () => {
      const message = 'x'.repeat(5_000);
      const whole = way(() => Promise.reject(declined({}, message)));
      expect(await whole(request)).toEqual({ error: expect.objectContaining({ message }) });
      expect(await whole(request)).toEqual({ error: expect.objectContaining({ message }) });
      const cut = way(() => Promise.reject(declined({ trace: randomBytes(9 * KB * KB) }, message)));
      await cut({ ...request, key: 'cut' });
      expect(await cut({ ...request, key: 'cut' })).toEqual({
        error: expect.objectContaining({ name: 'Declined', message: 'x'.repeat(1_000) }),
      });
    });

    it('whatever was thrown', async () => {
      const codec: Codec = {
        name: 'none',
        encode: () => {
          throw new Error('no');
        },
        decode: () => 1,
      };
      const hostile = {
        get message(): string {
          throw new Error('unreadable');
        },
      };
      for (const [thrown, message] of [
        ['no', 'no'],
        [undefined, ''],
        [{ message: 'of no Error' }, 'of no Error'],
        [hostile, ''],
      ] as const) {
        const key = crypto.randomUUID();
        const call = way(() => Promise.reject(thrown), { codec, isTerminal: () => true });
        await call({ ...request, key });
        expect(await call({ ...request, key })).toEqual({ error: expect.objectContaining({ message }) });
      }
    });

    it('where it is a step’s: a retry does not take it for done', async () => {
      const codec: Codec = {
        name: 'values',
        encode: (value) => {
          if ((value as { own?: object }).own) throw new Error('no');
          return Buffer.from(JSON.stringify(value));
        },
        decode: (bytes) => JSON.parse(String(bytes)),
      };
      const caught: unknown[] = [];
      let effects = 0;
      const call = way(
        async ({ step }) => {
          await step('charge', () => {
            effects++;
            throw declined({ reason: 'limit' });
          }).catch((error) => caught.push(error));
          throw new Error('passing');
        },
        { codec },
      );
      await call(request);
      await call(request);
      expect(caught).toEqual([kept.error, kept.error]);
      expect(effects).toBe(1);
    });
  });
});
