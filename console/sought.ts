import type { Sought } from '../cli/console/wire.ts';
import type { Duration } from '../src/core/duration.ts';
import type { Route } from './route.ts';

/** The search that the address names. */
export function soughtBy({ state, key, scope, operation, caller, older, without }: Route): Sought {
  const isWithout = (part: string): boolean => without.includes(part);
  return {
    ...(state.length > 0 && { state }),
    ...(key !== '' && { key }),
    ...(scope !== '' && { scope }),
    ...(isWithout('operation') ? { operation: [] } : operation !== '' && { operation: operationIn(operation) }),
    ...(isWithout('caller') ? { principal: false } : caller !== '' && { principal: callerIn(caller) }),
    ...(older !== '' && { olderThan: older as Duration }),
  };
}

/** A method and a route, or one name. */
function operationIn(text: string): readonly string[] {
  const [, method, route] = /^(\S+) (.+)$/s.exec(text) ?? [];
  return method === undefined || route === undefined ? [text] : [method, route];
}

/** A list of texts in JSON, or a text. */
function callerIn(text: string): string | readonly string[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list : text;
  } catch {
    return text;
  }
}
