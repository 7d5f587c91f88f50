import { isUtf8 } from 'node:buffer';
import { canonicalText } from '../../core/identity.ts';

/** What bytes in base64 are, and the bytes: JSON in its canonical form. */
export function bytesIn(base64: string | null | undefined): readonly [kind: string, ...content: string[]] {
  if (base64 === undefined || base64 === null) return ['none'];
  const bytes = Buffer.from(base64, 'base64');
  const json = isUtf8(bytes) ? canonicalText(bytes.toString()) : undefined;
  return json === undefined ? ['bytes', bytes.toString('base64')] : ['json', json];
}
