import { context, httpEvent } from '../../events.ts';

/** A cold start: what the process has taken when the handler is there, and when it has answered. */
export interface Started {
  readonly ready: Taken;
  readonly answered: Taken;
}

/** In ms, since the process began. */
export interface Taken {
  readonly wall: number;
  readonly cpu: number;
}

const [bundle = '', key = ''] = process.argv.slice(2);
const { handler } = await import(bundle);
const ready = taken();
const { statusCode } = await handler(httpEvent(key), context());
const started: Started = { ready, answered: taken() };
if (statusCode !== 201) throw new Error(`a cold start got another answer: ${statusCode}`);
process.stdout.write(JSON.stringify(started));
process.exit();

function taken(): Taken {
  const wall = performance.now();
  const { user, system } = process.cpuUsage();
  return { wall, cpu: (user + system) / 1_000 };
}
