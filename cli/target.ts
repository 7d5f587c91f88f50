import { idIn, recordId } from '../src/operator/record-id.ts';
import type { Call } from './command.ts';
import { built, usage } from './exit.ts';

type Options = Call['options'];

/** The record that is named: by its id, its `instance` in problem details, or its identity. */
export function targetOf({ args: [id], options }: Pick<Call, 'args' | 'options'>): string {
  const { scope, key } = options;
  const isNamed = ['scope', 'key', 'operation', 'principal'].some((part) => options[part] !== undefined);
  if (id !== undefined && isNamed) throw usage('give an id, or --scope and --key, and not both');
  if (id !== undefined) return built(() => idIn(id));
  if (scope === undefined || key === undefined) throw usage('name a record: by its id, or by --scope and --key');
  const [operation, principal] = [operationIn(options), principalIn(options)];
  return built(() => recordId({ scope, key, ...(operation && { operation }), ...(principal && { principal }) }));
}

/** `POST /orders/{id}` as a list; of `--no-operation` an empty one. */
export function operationIn({ operation }: Options): readonly string[] | undefined {
  if (operation === undefined) return undefined;
  if (operation === false) return [];
  const [, method, route] = /^(\S+) (.+)$/s.exec(operation) ?? [];
  return method === undefined || route === undefined ? [operation] : [method, route];
}

export function principalIn({ principal }: Options): string | readonly string[] | false | undefined {
  return typeof principal === 'string' && principal.startsWith('[') ? listIn(principal) : principal;
}

function listIn(text: string): readonly string[] {
  try {
    return JSON.parse(text);
  } catch {
    throw usage('--principal begins with [, and is no list in JSON');
  }
}

/** A whole number from an option: above 0, and not above `most`. */
export function numberIn(option: string, value: string | undefined, most = Infinity): number | undefined {
  if (value === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(value) && Number(value) <= most) return Number(value);
  const range = most === Infinity ? 'above 0' : `from 1 to ${most.toLocaleString('en-US')}`;
  throw usage(`--${option} is ${value}; expected a whole number ${range}`);
}
