import type { Outcome, Steps } from '../core/record.ts';

/** Bytes that any end of a step may take besides its name: the brief of an error, or that its value was lost. */
const STEP_BYTES = 1_400;

/** The room for steps in one record. */
export interface Room {
  /** Takes the room that any end of the step needs. False: there is none. */
  readonly take: (name: string) => boolean;
  /** Bytes that the step may use. */
  readonly for: (name: string) => number;
  /** Gives back what the step does not use. */
  readonly settle: (name: string, outcome?: Outcome) => void;
}

/** `bytes`: what all steps may take together. */
export function roomOf(steps: Steps, bytes: number): Room {
  const taken = new Map(Object.entries(steps).map(([name, outcome]) => [name, weightOf(name, outcome)]));
  let left = bytes - [...taken.values()].reduce((sum, weight) => sum + weight, 0);

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
    settle: (name, outcome) => weigh(name, outcome ? weightOf(name, outcome) : 0),
  };
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
