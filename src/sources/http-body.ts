import { isUtf8 } from 'node:buffer';
import { canonicalText } from '../core/canonical.ts';

/** A body as it came, or as a body parser has left it. */
export interface Body {
  readonly body: unknown;
  readonly isBase64Encoded: boolean;
  readonly contentType: string;
}

/** What the body is, and the body: bodies of different kinds are never equal. */
export function contentOfBody({ body, isBase64Encoded, contentType }: Body): readonly unknown[] {
  if (body === undefined || body === null) return ['none'];
  if (typeof body !== 'string') return ['parsed', body];
  if (!isBase64Encoded && isJson(contentType) && body.isWellFormed()) return jsonOr(canonicalText(body), 'utf8', body);
  const encoding = isBase64Encoded ? 'base64' : 'utf8';
  const bytes = Buffer.from(body, encoding);
  const isAsSent = bytes.toString(encoding) === body;
  if (isAsSent && !isJson(contentType)) return partsOf(bytes, contentType) ?? ['bytes', bytes.toString('base64')];
  return jsonOr(isAsSent ? jsonIn(bytes) : undefined, encoding, body);
}

// A body parser may have left a string behind, which the encoding no longer describes.
function jsonOr(json: string | undefined, encoding: string, body: string): readonly unknown[] {
  return json === undefined ? ['text', encoding, body] : ['json', json];
}

/** The canonical form of bytes that are JSON. */
export function jsonIn(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? canonicalText(bytes.toString()) : undefined;
}

/** The content as fingerprints of version 1 have it: of a form with its boundaries. Undefined: it is the same. */
export function formerContentOfBody(body: Body): readonly unknown[] | undefined {
  return isMultipart(body.contentType) ? contentOfBody({ ...body, contentType: '' }) : undefined;
}

function isMultipart(contentType: string): boolean {
  return /^multipart\//i.test(contentType.trim());
}

/** What stands between the boundaries: a client draws another boundary for every attempt. */
function partsOf(bytes: Buffer, contentType: string): readonly string[] | undefined {
  const [, quoted, bare] = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? bare;
  if (!isMultipart(contentType) || boundary === undefined) return undefined;
  const parts = bytes.toString('latin1').split(`--${boundary}`);
  return parts.length > 1 ? ['multipart', ...parts] : undefined;
}

function isJson(contentType: string): boolean {
  return /^application\/([\w.+-]+\+)?json\b/i.test(contentType.trim());
}
