/** A travel agency whose hotel is full for `full`, and a note of what it did. */
export const did: string[] = [];

const once = <T>(what: string, key: string, answer: T): T => {
  if (!did.includes(`${what} ${key}`)) did.push(`${what} ${key}`);
  return answer;
};

export const trips = {
  bookFlight: async (tripId: string, key: string) => once('book-flight', key, `flight of ${tripId}`),
  bookHotel: async (tripId: string, key: string) =>
    tripId === 'full' ? undefined : once('book-hotel', key, `room of ${tripId}`),
  cancelFlight: async (flight: string, key: string) => once('cancel-flight', key, flight),
};
