import { once } from 'node:events';
import type { Call } from '../command.ts';
import { startConsole } from '../console.ts';
import { EXIT } from '../exit.ts';
import { json } from '../json.ts';
import { numberIn } from '../target.ts';
import { remark, say } from '../terminal.ts';

/** Serves the console until Ctrl-C. */
export async function serve({ options, connect }: Call): Promise<number> {
  const [port, unitsPerSecond] = [numberIn('port', options['port'], 65_535), numberIn('units', options['units'])];
  const { client, store, table } = connect();
  const region = await client.config.region().catch(() => undefined); // that there is none, the first search says
  const { endpointUrl: endpoint, readOnly } = options;
  const { url, stop } = await startConsole({ store, table, region, endpoint, readOnly, port, unitsPerSecond });
  say(options['json'] === true ? json({ url }) : url);
  remark('Open that address in a browser on this machine: who has it may do what you may. Ctrl-C ends the console.');
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await stop();
  return EXIT.done;
}
