import { type Outcome, ROOM_BYTES, type Steps } from '../core/record.ts';

/** Bytes that a step takes besides its name: a value that is not kept apart, a pointer to one that is, or an error. */
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

export function roomOf(steps: Steps): Room {
  const taken = new Map(Object.entries(steps).map(([name, outcome]) => [name, weightOf(name, outcome)]));
  let left = ROOM_BYTES - [...taken.values()].reduce((sum, bytes) => sum + bytes, 0);

  const weigh = (name: string, bytes: number): void => {
    left -= bytes - (taken.get(name) ?? 0);
    taken.set(name, bytes);
  };

  return {
    take(name) {
      const bytes = Buffer.byteLength(name) + STEP_BYTES;
      if (bytes > left) return false;
      weigh(name, bytes);
      return true;
    },
    for: (name) => left + (taken.get(name) ?? 0),
    settle: (name, outcome) => weigh(name, outcome ? weightOf(name, outcome) : 0),
  };
}

/** What a step weighs in a record, or a little more. */
export function weightOf(name: string, outcome: Outcome): number {
  const { body = '', ...rest } = outcome;
  return Buffer.byteLength(JSON.stringify([name, rest])) + Buffer.byteLength(body) + 50;
}
