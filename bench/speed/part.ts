import { print, type Table } from './table.ts';

/** Measures one part in a process of its own, for `main.ts`: no other part's garbage, caches or compiled code. */
export interface Options {
  readonly rounds: number;
  /** The largest table of the part `scale`. */
  readonly records: number;
}

export type Part = (typeof PARTS)[number];
export const PARTS = ['cpu', 'alone', 'large', 'memory', 'cold', 'scale', 'requests', 'canonical', 'bundle'] as const;

if (import.meta.main) {
  const [part, options = '{}'] = process.argv.slice(2);
  process.env['AWS_LAMBDA_FUNCTION_NAME'] = 'orders';
  const { measure } = await import(`./parts/${part}.ts`);
  for await (const table of measure(JSON.parse(options)) as AsyncIterable<Table>) {
    print(table);
    process.send?.(table);
  }
  process.disconnect?.(); // keep-alive connections would hold it
  process.exit();
}
