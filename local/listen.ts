import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Has a server listen on a loopback port: the given one, or a free one. */
export async function listen(
  server: Server,
  port = 0,
): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
