import { jsonIn } from '../http-body.ts';

/** What bytes in base64 are, and the bytes: JSON in its canonical form. */
export function bytesIn(base64: string | null | undefined): readonly [kind: string, ...content: string[]] {
  if (base64 === undefined || base64 === null) return ['none'];
  const bytes = Buffer.from(base64, 'base64');
  const json = jsonIn(bytes);
  return json === undefined ? ['bytes', bytes.toString('base64')] : ['json', json];
}
