import { environment } from './environment.ts';

let loading: Promise<unknown> | undefined;

/** Turns on the metrics that the environment asks for. Resolves when they are on; undefined: it asks for none. Throws `CONFIG_INVALID`. */
export function observed(): Promise<unknown> | undefined {
  const metrics = environment.metrics();
  // What cannot be loaded harms no run.
  if (metrics)
    loading ??= import('./observe/environment.ts').then(({ keep }) => keep(metrics)).catch(process.emitWarning);
  return metrics ? loading : undefined;
}
