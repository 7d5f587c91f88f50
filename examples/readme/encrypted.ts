import { deserialize, serialize } from 'node:v8';
import { buildClient, CommitmentPolicy, KmsKeyringNode } from '@aws-crypto/client-node';
import { type Codec, dynamoDBStore, idempotent } from 'effectively-once';

const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);

/** Each value is encrypted with a data key of its own, and bound to its record: moved to another, it is refused. */
export const encrypted = (keyring: KmsKeyringNode): Codec => ({
  name: 'kms',
  encode: async (value, { id }) => (await encrypt(keyring, serialize(value), { encryptionContext: { id } })).result,
  decode: async (bytes, { id }) => {
    const { plaintext, messageHeader } = await decrypt(keyring, bytes);
    if (messageHeader.encryptionContext['id'] !== id) throw new Error('it was encrypted for another record');
    return deserialize(plaintext);
  },
});

export const handler = idempotent(async (order: { id: string }) => ({ receipt: `paid ${order.id}` }), {
  store: dynamoDBStore(),
  key: ({ id }) => id,
  codec: encrypted(new KmsKeyringNode({ generatorKeyId: process.env['KMS_KEY_ARN'] ?? '' })),
});
