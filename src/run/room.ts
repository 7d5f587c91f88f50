import type { Outcome, Steps } from '../core/record.ts';

/** Bytes that any end of a step may take besides its name: the brief of an error, or that its value was lost. */
const STEP_BYTES = 1_400;

/**
 * Every later write of a record pays for the steps in it. So a value of more bytes is kept apart, and any but the smallest if the
 * values in the record would be more together than {@link INLINE_TOGETHER}.
 */
const INLINE = 768;
const INLINE_TOGETHER = 2 * 1024;

/** What a pointer takes: less need not be kept apart. */
const INLINE_ALWAYS = 64;

/** The room for steps in one record. */
export interface Room {
  /** Takes the room that any end of the step needs. False: there is none. */
  readonly take: (name: string) => boolean;
  /** Bytes that the step may use. */
  readonly for: (name: string) => number;
  /** Bytes of the value that may stay in the record. */
  readonly inline: (name: string, outcome: Outcome) => number;
  /** Gives back what the step does not use. */
  readonly settle: (name: string, outcome?: Outcome) => void;
}

/** `bytes`: what all steps may take together. */
export function roomOf(steps: Steps, bytes: number): Room {
  const taken = new Map(Object.entries(steps).map(([name, outcome]) => [name, weightOf(name, outcome)]));
  let left = bytes - [...taken.values()].reduce((sum, weight) => sum + weight, 0);
  const inlined = new Map<string, number>();
  let together = 0;

  const hold = (name: string, body: number): void => {
    together += body - (inlined.get(name) ?? 0);
    inlined.set(name, body);
  };
  for (const [name, outcome] of Object.entries(steps)) hold(name, bodyOf(outcome));

  const weigh = (name: string, weight: number): void => {
    left -= weight - (taken.get(name) ?? 0);
    taken.set(name, weight);
  };

  return {
    take(name) {
      const needed = Buffer.byteLength(name) + STEP_BYTES;
      if (needed > left) return false;
      weigh(name, needed);
      return true;
    },
    for: (name) => left + (taken.get(name) ?? 0),
    inline(name, outcome) {
      const body = bodyOf(outcome);
      if (body > INLINE || together + body > INLINE_TOGETHER) return INLINE_ALWAYS;
      hold(name, body); // now: others may end before it is settled
      return INLINE;
    },
    settle(name, outcome) {
      weigh(name, outcome ? weightOf(name, outcome) : 0);
      if (outcome) hold(name, bodyOf(outcome));
    },
  };
}

/** Bytes. */
function bodyOf({ body = '' }: Outcome): number {
  return Buffer.byteLength(body);
}

/** What a step weighs in a record, or a little more. */
export function weightOf(name: string, outcome: Outcome): number {
  return Buffer.byteLength(name) + bytesOf(outcome);
}

/** As DynamoDB counts, or a little more. */
function bytesOf(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return Buffer.byteLength(value);
  if (typeof value !== 'object' || value === null) return 21;
  return Object.entries(value).reduce((sum, [name, member]) => sum + name.length + bytesOf(member) + 5, 5);
}
