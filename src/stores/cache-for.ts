/** Ms for which a process keeps a completed outcome unless it is told otherwise: for so long it does not hear an operator's word. */
export const CACHE_FOR_MS = 60_000;
