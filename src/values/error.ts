import { TerminalError } from '../core/errors.ts';
import type { ErrorBrief } from '../core/record.ts';
import { CLONE, isJson } from './codec.ts';

/** What is encoded of a terminal error, beside its {@link ErrorBrief}. */
export type ErrorContent =
  /** `message`: if the brief has cut it. */
  { readonly own: object; readonly message?: string } | { readonly thrown: unknown };

/** Bytes. */
const LONGEST_NAME = 100;
const LONGEST_MESSAGE = 1_000;

/** What is kept of an error whatever happens to the rest. */
export function briefOf(error: unknown): ErrorBrief {
  const name = textIn(error, 'name', LONGEST_NAME);
  const message = typeof error === 'string' ? cut(error, LONGEST_MESSAGE) : textIn(error, 'message', LONGEST_MESSAGE);
  return {
    name: name ?? 'TerminalError',
    message: message ?? '',
    ...numberIn(error, 'status'),
    ...numberIn(error, 'statusCode'),
  };
}

/** What else there is to keep of it: all, or else what structured clone can keep. Empty: nothing. */
export function errorContents(error: unknown, brief: ErrorBrief): readonly ErrorContent[] {
  try {
    return contentsOf(error, brief);
  } catch {
    return []; // its members cannot be read
  }
}

function contentsOf(error: unknown, brief: ErrorBrief): readonly ErrorContent[] {
  if (!(error instanceof Error)) return [{ thrown: error }];
  const members = ['cause', ...Object.keys(error)].map((member) => [member, memberOf(error, member)] as const);
  const own = members.filter(
    ([member, value]) => member !== 'name' && (value !== undefined || Object.hasOwn(error, member)),
  );
  const message = memberOf(error, 'message');
  const cutOff = typeof message === 'string' && message !== brief.message ? { message } : {};
  if (own.length === 0 && !('message' in cutOff)) return [];
  return [own, own.filter(([, value]) => canBeKept(value))].map((those) => ({
    own: Object.fromEntries(those),
    ...cutOff,
  }));
}

/** The error as a duplicate gets it. */
export function errorOf({ name, message, ...status }: ErrorBrief, content?: ErrorContent): unknown {
  if (content && 'thrown' in content) return content.thrown;
  return Object.assign(new TerminalError(content?.message ?? message), status, content?.own, { name });
}

function canBeKept(value: unknown): boolean {
  try {
    return isJson(value) || CLONE.encode(value).length > 0;
  } catch {
    return false;
  }
}

function textIn(error: unknown, member: 'name' | 'message', longest: number): string | undefined {
  const value = memberOf(error, member);
  return typeof value === 'string' ? cut(value, longest) : undefined;
}

function numberIn(error: unknown, member: 'status' | 'statusCode'): Partial<ErrorBrief> {
  const value = memberOf(error, member);
  return Number.isSafeInteger(value) ? { [member]: value } : {};
}

function cut(text: string, longest: number): string {
  const bytes = Buffer.from(text.toWellFormed());
  if (bytes.length <= longest) return bytes.toString();
  return bytes
    .subarray(0, longest)
    .toString()
    .replace(/\uFFFD+$/, ''); // half a character
}

// A getter of the user's may throw.
function memberOf(error: unknown, member: string): unknown {
  try {
    return (error as Record<string, unknown> | null | undefined)?.[member];
  } catch {
    return undefined;
  }
}
