import { TerminalError } from '../core/errors.ts';
import type { ErrorBrief } from '../core/record.ts';
import { CLONE, isJson } from './codec.ts';
import { snapshot } from './snapshot.ts';

/** What is encoded of a terminal error, beside its {@link ErrorBrief}. */
export type ErrorContent = Members | Thrown;

/** What was thrown, and is no error. */
interface Thrown {
  readonly thrown: unknown;
}

/** The members of an error. */
interface Members extends Texts {
  readonly own: Readonly<Record<string, unknown>>;
  /** Members that are errors, or lists with errors in them. */
  readonly errors?: Readonly<Record<string, Below | readonly Below[]>>;
  /** Names of members that are not enumerable. */
  readonly hidden?: readonly string[];
}

/** Of the error itself the brief has them; its message is here, too, if the brief has cut it. */
interface Texts {
  readonly name?: string;
  readonly message?: string;
}

type Below = Members | Thrown;

/** Bytes. */
const LONGEST_NAME = 100;
const LONGEST_MESSAGE = 1_000;

/** Errors within an error, and how deep they may lie. */
const MOST_ERRORS = 100;
const MAX_DEPTH = 32;

/** HTTP clients and SDKs keep here what they sent and how: credentials, and sockets. */
const SECRET = /^[$_]*(config|request|response|responseBodyText|headers|options|socket|stack)$/i;

/** Members that count though a class has them, and not its instance. */
const INHERITED = new Set(['status', 'statusCode', 'expose']);

/** Members that have their own place. */
const APART = new Set(['name', 'message', 'constructor', '__proto__']);

/** A terminal error as it was when it was thrown. */
interface Taken {
  /** What is kept of it whatever happens to the rest. */
  readonly brief: ErrorBrief;
  /** What else there is to keep: all, or else what JSON can express. Empty: nothing. */
  readonly contents: readonly ErrorContent[];
}

/** Takes an error apart. Each of its members is read once. */
export function taken(error: unknown): Taken {
  if (!isErrorLike(error)) {
    const thrown = snapshot(error);
    if (canBeKept(thrown)) return { brief: briefOf(thrown), contents: [{ thrown }] };
  }
  try {
    const { name, message } = textsOf(error as object);
    const isCut = message !== undefined && message !== cut(message, LONGEST_MESSAGE);
    const members = membersOf(error as object, isCut ? { message } : {}, new Map());
    const isEmpty = Object.keys(members).length === 1 && Object.keys(members.own).length === 0;
    const own = Object.fromEntries(Object.entries(members.own).filter(([, value]) => isJson(value)));
    return { brief: briefOf({ ...members.own, name, message }), contents: isEmpty ? [] : [members, { own }] };
  } catch {
    return { brief: briefOf(error), contents: [] }; // it is no object, or hostile
  }
}

/** The error as a duplicate gets it. */
export function errorOf({ name, message, ...status }: ErrorBrief, content?: ErrorContent): unknown {
  if (content && 'thrown' in content) return content.thrown;
  const error = Object.assign(new TerminalError(content?.message ?? message), status, { name });
  return content ? withMembers(error, content, new Map()) : error;
}

/** {@link Taken.brief} alone. */
export function briefOf(error: unknown): ErrorBrief {
  const name = memberOf(error, 'name');
  const message = typeof error === 'string' ? error : memberOf(error, 'message');
  return {
    name: typeof name === 'string' ? cut(name, LONGEST_NAME) : 'TerminalError',
    message: typeof message === 'string' ? cut(message, LONGEST_MESSAGE) : '',
    ...numberIn(error, 'status'),
    ...numberIn(error, 'statusCode'),
  };
}

/** Zod's errors, among others, are none by their class. */
function isErrorLike(value: unknown): value is object {
  if (value instanceof Error) return true;
  if (typeof value !== 'object' || value === null || isPlain(value)) return false;
  return typeof memberOf(value, 'message') === 'string';
}

function membersOf(error: object, texts: Texts, seen: Map<object, Members>, depth = 0): Members {
  const known = seen.get(error);
  if (known) return known;
  const own: Record<string, unknown> = {};
  const errors: Record<string, Below | Below[]> = {};
  const hidden: string[] = [];
  const members = { own, ...texts };
  seen.set(error, members);
  const below = (value: unknown): Below => {
    if (!isErrorLike(value)) return { thrown: dataIn(value, true) };
    const isTooMuch = depth >= MAX_DEPTH || (seen.size >= MOST_ERRORS && !seen.has(value));
    return isTooMuch ? { own: {}, ...textsOf(value) } : membersOf(value, textsOf(value), seen, depth + 1);
  };
  for (const [name, isEnumerable] of namesOf(error)) {
    const value = memberOf(error, name);
    if (typeof value === 'function' || (value === undefined && !Object.hasOwn(error, name))) continue;
    if (isErrorLike(value)) errors[name] = below(value);
    else if (Array.isArray(value) && value.some(isErrorLike)) errors[name] = value.map(below);
    else {
      const isCause = name === 'cause' || (name === 'errors' && error instanceof AggregateError);
      const data = dataIn(value, isCause);
      if (!canBeKept(data)) continue;
      own[name] = data;
    }
    if (!isEnumerable) hidden.push(name);
  }
  return Object.assign(members, Object.keys(errors).length > 0 && { errors }, hidden.length > 0 && { hidden });
}

/** Names of what is kept, and whether they are enumerable: its own members, what its classes compute, and what HTTP asks of it. */
function namesOf(error: object): Map<string, boolean> {
  const names = new Map<string, boolean>();
  for (let of = error; of && of !== Error.prototype && of !== Object.prototype; of = Object.getPrototypeOf(of)) {
    for (const [name, { get, enumerable = false }] of Object.entries(Object.getOwnPropertyDescriptors(of))) {
      const isKept = of === error || get !== undefined || INHERITED.has(name);
      if (isKept && !names.has(name) && !APART.has(name) && !SECRET.test(name)) names.set(name, enumerable);
    }
  }
  return names;
}

/** A member as it is now. Of errors within it their data is kept, and of a cause, whatever it is, no secrets. */
function dataIn(value: unknown, isCause = false): unknown {
  return snapshot(value, (one) => {
    if (isErrorLike(one)) return withoutSecrets({ ...textsOf(one), ...one });
    return isCause && isPlain(one) ? withoutSecrets(one) : one;
  });
}

function withoutSecrets(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !SECRET.test(name)));
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function canBeKept(value: unknown): boolean {
  try {
    return isJson(value) || CLONE.encode(value).length > 0;
  } catch {
    return false;
  }
}

const BUILT_IN = new Map(
  [AggregateError, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((one) => [
    one.name,
    one.prototype,
  ]),
);

/** Gives an error its members back. */
function withMembers(error: Error, members: Members, seen: Map<Members, Error>): Error {
  seen.set(members, error); // before the errors below it: one may be it again
  const { own, errors = {}, hidden = [] } = members;
  const below = (one: Below): unknown =>
    'own' in one ? (seen.get(one) ?? withMembers(bareError(one), one, seen)) : one.thrown;
  const restored = Object.entries(errors).map(
    ([name, one]) => [name, isList(one) ? one.map(below) : below(one)] as const,
  );
  for (const [name, value] of [...Object.entries(own), ...restored]) {
    Object.defineProperty(error, name, { ...DATA, enumerable: !hidden.includes(name), value });
  }
  return error;
}

const DATA = { writable: true, configurable: true };

function bareError({ name = 'Error', message }: Members): Error {
  const error = new Error(message);
  const prototype = BUILT_IN.get(name);
  if (prototype) return Object.setPrototypeOf(error, prototype);
  return Object.defineProperty(error, 'name', { ...DATA, value: name });
}

function isList(value: Below | readonly Below[]): value is readonly Below[] {
  return Array.isArray(value);
}

function memberOf(error: unknown, member: string): unknown {
  try {
    return (error as Record<string, unknown> | null | undefined)?.[member];
  } catch {
    return undefined; // a getter of the user's may throw
  }
}

function textsOf(error: object): Texts {
  const [name, message] = [memberOf(error, 'name'), memberOf(error, 'message')];
  return { ...(typeof name === 'string' && { name }), ...(typeof message === 'string' && { message }) };
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
