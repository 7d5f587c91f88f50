/** Something counted, the same in every run: what `budgets.json` limits. */
export interface Count {
  /** What it is counted of, and what is counted: its place in `budgets.json`. */
  readonly of: string;
  readonly what: string;
  readonly count: number;
  /** What it consists of. */
  readonly note?: string;
}

export type Check = () => Promise<readonly Count[]>;
