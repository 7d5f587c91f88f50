import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { listen } from '../local/listen.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
};

/** Serves a folder on the loopback interface alone, which VitePress's own preview does not. Port 0: any. */
export function serve(folder: string, port: number): ReturnType<typeof listen> {
  const server = createServer(async ({ url = '/' }, response) => {
    const path = normalize(decodeURIComponent(new URL(url, 'http://127.0.0.1').pathname));
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
    const found = await contentOf(file);
    response.writeHead(found ? 200 : 404, {
      'content-type': TYPES[found?.type ?? '.html'] ?? 'application/octet-stream',
    });
    response.end(found?.content ?? 'there is no such page\n');
  });
  return listen(server, port);
}

async function contentOf(file: string): Promise<{ readonly content: Buffer; readonly type: string } | undefined> {
  for (const candidate of [file, `${file}.html`]) {
    const content = await readFile(candidate).catch(() => undefined);
    if (content) return { content, type: extname(candidate) };
  }
  return undefined;
}
