import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { KmsKeyringNode } from '@aws-crypto/client-node';
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { runOnce, TerminalError } from 'effectively-once';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { engineClient } from './engine.ts';
import { worldOfTests } from './world.ts';

const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000';
vi.stubEnv('KMS_KEY_ARN', KEY);
const { encrypted } = await import('../examples/readme/encrypted.ts');

const aad = (context: object) => Buffer.from(JSON.stringify(Object.entries(context).sort()));

/** A key service in memory: data keys are sealed together with their encryption context, as KMS does. */
function keyService() {
  const secret = randomBytes(32);
  const seal = (plaintext: Uint8Array, context: object): Uint8Array => {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', secret, iv).setAAD(aad(context));
    return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  };
  const open = (sealed: Uint8Array, context: object): Uint8Array => {
    const decipher = createDecipheriv('aes-256-gcm', secret, sealed.subarray(0, 12));
    decipher.setAAD(aad(context)).setAuthTag(sealed.subarray(-16));
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
  };
  const service = { isDown: false };
  const asked =
    <T>(answer: () => T) =>
    async (): Promise<T> => {
      if (service.isDown) throw Object.assign(new Error('throttled'), { name: 'ThrottlingException' });
      return answer();
    };
  const client = {
    config: {},
    generateDataKey: ({ NumberOfBytes, EncryptionContext }: any) =>
      asked(() => {
        const Plaintext = randomBytes(NumberOfBytes);
        return { KeyId: KEY, Plaintext, CiphertextBlob: seal(Plaintext, EncryptionContext) };
      })(),
    decrypt: ({ CiphertextBlob, EncryptionContext }: any) =>
      asked(() => ({ KeyId: KEY, Plaintext: open(CiphertextBlob, EncryptionContext) }))(),
  };
  const keyring = new KmsKeyringNode({ generatorKeyId: KEY, clientProvider: () => client as never });
  return Object.assign(service, { codec: encrypted(keyring) });
}

describe('the recipe for KMS', () => {
  const world = worldOfTests('a table for each test');
  let service: ReturnType<typeof keyService>;
  beforeEach(() => {
    service = keyService();
  });
  const call = (key: string, fn: () => unknown) =>
    runOnce({ store: world.store(), scope: 'test', key, lease: '10s', codec: service.codec }, fn);

  it.each([{ card: 's3cret', at: new Date(0) }, undefined, 'x'.repeat(20_000)])(
    'gives back %.20o, and shows it to nobody',
    async (value) => {
      expect(await call('a', () => value)).toEqual(value);
      expect(await call('a', () => 'never')).toEqual(value);
      const text = JSON.stringify(await world.items(), (_, value) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
      );
      expect(text.includes('s3cret')).toBe(false);
    },
  );

  it('gives back terminal errors', async () => {
    const declined = Object.assign(new TerminalError('no funds'), { card: 's3cret' });
    await call('a', () => Promise.reject(declined)).catch(() => {});
    await expect(call('a', () => 'never')).rejects.toMatchObject({ message: 'no funds', card: 's3cret' });
  });

  it('refuses a ciphertext that was moved here from another record', async () => {
    await call('a', () => ({ card: 'of a' }));
    await call('b', () => ({ card: 'of b' }));
    const [one, other] = await world.items();
    await engineClient().send(
      new UpdateItemCommand({
        TableName: world.tableName(),
        Key: { id: other?.['id'] as never },
        UpdateExpression: 'SET outcome = :outcome',
        ExpressionAttributeValues: { ':outcome': one?.['outcome'] as never },
      }),
    );
    const answers = await Promise.all(['a', 'b'].map((key) => call(key, () => 'never').catch(({ code }) => code)));
    expect(answers.filter((answer) => isDeepStrictEqual(answer, 'RESULT_UNAVAILABLE'))).toHaveLength(1);
  });

  it('waits for a key service that is throttled', async () => {
    service.isDown = true;
    setTimeout(() => Object.assign(service, { isDown: false }), 300);
    expect(await call('a', () => ({ n: 1 }))).toEqual({ n: 1 });
    expect(await call('a', () => 'never')).toEqual({ n: 1 });
  });
});
