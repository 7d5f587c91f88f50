import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Store } from '../src/core/store.ts';
import { consoleApp } from './console/app.ts';
import { pageFiles } from './console/page.ts';

export interface ConsoleOptions {
  readonly store: Store;
  /** What the page calls it by. */
  readonly table: string;
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  /** @default false */
  readonly readOnly?: boolean | undefined;
  /** @default - a free one */
  readonly port?: number | undefined;
  /**
   * Read units that a search consumes in a second.
   * @default 200
   */
  readonly unitsPerSecond?: number | undefined;
}

export interface RunningConsole {
  /** With the token: whoever has it may do what the console may. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/**
 * Serves the console on the loopback interface. Its token stands in the fragment of the address, which is sent to no server.
 *
 * Throws if the port is taken.
 */
export async function startConsole(options: ConsoleOptions): Promise<RunningConsole> {
  const { store, table, region, endpoint, readOnly = false, port = 0, unitsPerSecond = 200 } = options;
  const token = randomBytes(24).toString('base64url');
  const about = { table, readOnly, unitsPerSecond, ...(region && { region }), ...(endpoint && { endpoint }) };
  const app = consoleApp({ ...about, store, token, files: await pageFiles() });
  const server = createAdaptorServer({ fetch: app.fetch, hostname: HOST }) as Server;
  await listening(server, port);
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}/#token=${token}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const HOST = '127.0.0.1';

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new Error(`port ${port} is taken: give another --port, or none`) : error),
    );
    server.listen(port, HOST, resolve);
  });
}
