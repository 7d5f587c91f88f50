import { IdempotencyError } from '../../core/errors.ts';
import { jsonIn } from '../http-body.ts';

/** What bytes in base64 are, and the bytes: JSON in its canonical form. Throws `PAYLOAD_INVALID` for what is no base64. */
export function bytesIn(base64: unknown): readonly [kind: string, ...content: string[]] {
  if (base64 === undefined || base64 === null) return ['none'];
  const bytes = Buffer.from(String(base64), 'base64');
  if (bytes.toString('base64') !== base64)
    throw new IdempotencyError('PAYLOAD_INVALID', 'the data of a record is no base64');
  const json = jsonIn(bytes);
  return json === undefined ? ['bytes', base64] : ['json', json];
}
