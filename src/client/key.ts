export const KEY_HEADER = 'Idempotency-Key';

/** The key in its header, without quotes; undefined: there is none. Throws a `TypeError` for one that no server may take. */
export function keyIn(headers: Headers): string | undefined {
  const header = headers.get(KEY_HEADER);
  if (!header) return undefined;
  const key = /^"(.*)"$/.exec(header)?.[1]?.replace(/\\(.)/g, '$1') ?? header; // RFC 9651 §3.3.3
  if (/^[ -~]{1,255}$/.test(key)) return key;
  throw new TypeError('an Idempotency-Key is 1 to 255 printable ASCII characters');
}

/** 128 random bits: a UUID on secure pages, where alone `crypto.randomUUID` is, and four numbers on others. */
export function mintedKey(): string {
  return crypto.randomUUID?.() ?? crypto.getRandomValues(new Uint32Array(4)).join('-');
}
