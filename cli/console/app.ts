import { Hono } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';
import { bodyLimit } from 'hono/body-limit';
import type { Store } from '../../src/core/store.ts';
import { STATES } from '../../src/operator/state.ts';
import { failure } from './fault.ts';
import { type Env, forbidden, headers, ownHost, ownOrigin } from './guard.ts';
import type { PageFiles } from './page.ts';
import { reading } from './reading.ts';
import type { About, Fault } from './wire.ts';
import { writing } from './writing.ts';

export interface AppOptions extends Omit<About, 'states'> {
  readonly store: Store;
  /** Whoever has it may ask. */
  readonly token: string;
  readonly files: PageFiles;
}

/** A value of 8 MB, as JSON in JSON. */
const MOST_BYTES = 32 * 1024 * 1024;

const UNNAMED = forbidden(
  'open the console by the address that its command has printed: it holds the token of this run',
);
const READ_ONLY: Fault = {
  code: 'READ_ONLY',
  message: 'the console was started with --read-only: nothing was written',
};

/** The console as what answers requests; the page itself holds nothing to hide, and is given to all. */
export function consoleApp({ store, token, files, ...about }: AppOptions): Hono<Env> {
  const app = new Hono<Env>();
  app.use(headers());
  app.use(ownHost);
  app.use('/api/*', ownOrigin);
  app.use(
    '/api/*',
    bearerAuth({
      token,
      noAuthenticationHeader: { message: UNNAMED },
      invalidAuthenticationHeader: { message: UNNAMED },
      invalidToken: { message: UNNAMED },
    }),
  );
  app.get('/api/about', (c) => c.json<About>({ ...about, states: STATES }));
  app.route('/api', reading(store, about));
  if (about.readOnly) app.post('/api/*', (c) => c.json(READ_ONLY, 403));
  app.use('/api/*', bodyLimit({ maxSize: MOST_BYTES }));
  app.route('/api', writing(store));
  app.get('*', (c) => {
    const file = files.get(c.req.path === '/' ? 'index.html' : c.req.path.slice(1));
    return file ? c.body(file.body, 200, { 'Content-Type': file.type }) : c.notFound();
  });
  app.onError(failure);
  return app;
}
