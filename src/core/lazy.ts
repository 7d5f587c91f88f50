/** Asks when the answer is first needed, and then no more. */
export function lazy<T>(ask: () => T): () => T {
  let answer: T | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}
