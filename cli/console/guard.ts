import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';
import { secureHeaders } from 'hono/secure-headers';
import type { Fault } from './wire.ts';

export type Env = { readonly Bindings: HttpBindings };

/** The page loads its own files, talks to its own server, and stands in no frame. */
export function headers(): MiddlewareHandler {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
      requireTrustedTypesFor: ["'script'"],
      trustedTypes: ["'none'"],
    },
    crossOriginEmbedderPolicy: 'require-corp',
    strictTransportSecurity: false,
    xFrameOptions: 'DENY',
  });
}

/** Asked by this name only: another one that leads to this machine is a rebinding of somebody's. */
export const ownHost = createMiddleware<Env>(async (c, next) => {
  const { localPort } = c.env.incoming.socket;
  const hosts = ['127.0.0.1', 'localhost'].map((name) => `${name}:${localPort}`);
  if (!hosts.includes(c.req.header('Host') ?? ''))
    return c.json(forbidden('this host name is not that of the console'), 403);
  c.header('Cache-Control', 'no-store');
  return next();
});

/** By the console's own page, as browsers tell. A write must have an origin. */
export const ownOrigin = createMiddleware<Env>(async (c, next) => {
  const origin = c.req.header('Origin');
  const site = c.req.header('Sec-Fetch-Site');
  const isOwn = origin === `http://${c.req.header('Host')}` || (origin === undefined && c.req.method === 'GET');
  if (isOwn && (site === undefined || site === 'same-origin')) return next();
  return c.json(forbidden('only the page of the console may ask it'), 403);
});

export function forbidden(message: string): Fault {
  return { code: 'FORBIDDEN', message };
}
