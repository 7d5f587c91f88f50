import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Shown } from '../cli/console/wire.ts';
import { type Refused, record, refusedBy } from './server.ts';

/** A record as it was read last. */
export interface Reading {
  /** Absent: it has not been read yet, or could not be. */
  readonly shown?: Shown;
  /** Epoch ms. */
  readonly readAt?: number;
  readonly refused?: Refused;
  readonly isUnderWay: boolean;
}

/** The record of that id, which does not change, and what reads it again. `tell` hears of what was read. */
export function useRecord(id: string, tell: (shown: Shown) => void): readonly [Reading, () => Promise<void>] {
  const [reading, setReading] = useState<Reading>({ isUnderWay: true });
  const read = useCallback(async (): Promise<void> => {
    setReading((last) => ({ ...last, isUnderWay: true }));
    try {
      const shown = await record(id);
      setReading({ shown, readAt: Date.now(), isUnderWay: false });
      tell(shown);
    } catch (error) {
      setReading((last) => ({ ...last, refused: refusedBy(error), isUnderWay: false }));
    }
  }, [id]);
  useEffect(() => void read(), [read]);
  return [reading, read];
}
