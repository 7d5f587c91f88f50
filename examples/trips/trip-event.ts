/** What has become of a trip: each event says all of it. */
export interface TripEvent {
  /** A UUID. */
  readonly tripId: string;
  /** 1, 2, 3 … rises with every event of the trip. */
  readonly version: number;
  readonly status: 'requested' | 'started' | 'completed';
  readonly city: string;
  /** In cents. */
  readonly fare: number;
}

/** The event in the data of a record; `undefined` if there is none. */
export function tripEventIn(base64: string | null | undefined): TripEvent | undefined {
  try {
    const { tripId, version, status, city, fare } = JSON.parse(Buffer.from(base64 ?? '', 'base64').toString());
    const isEvent = typeof tripId === 'string' && Number.isSafeInteger(version) && typeof city === 'string';
    return isEvent ? { tripId, version, status, city, fare } : undefined;
  } catch {
    return undefined;
  }
}
