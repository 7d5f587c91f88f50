import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { npmInstall, ours, projectOf } from './project.ts';

it('the console of the packed tarball starts, serves its page, and ends by Ctrl-C', async () => {
  const project = projectOf('console', ours('@aws-sdk/client-dynamodb'), {});
  npmInstall(project);
  const command = join(project, 'node_modules/effectively-once/dist/cli/index.js');
  const args = ['console', '--json', '--table', 'records', '--region', 'eu-central-1'];
  const child = spawn(process.execPath, [command, ...args], { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const [line] = await once(createInterface(child.stdout), 'line');
  const { origin, hash } = new URL(JSON.parse(line).url);
  const headers = { Authorization: `Bearer ${hash.slice('#token='.length)}` };
  const get = (path: string): Promise<Response> => fetch(`${origin}/${path}`, { headers });
  const types: Record<string, string | null> = {};
  for (const [, file = ''] of (await (await get('')).text()).matchAll(/(?:src|href)="([^"]+)"/g))
    types[file] = (await get(file)).headers.get('content-type');
  expect(types).toEqual({
    'icon.svg': 'image/svg+xml',
    'style.css': 'text/css; charset=utf-8',
    'console.js': 'text/javascript; charset=utf-8',
  });
  expect(await (await get('api/about')).json()).toMatchObject({ table: 'records', region: 'eu-central-1' });
  child.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
});
