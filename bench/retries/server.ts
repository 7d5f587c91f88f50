import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { idempotent } from '../../src/index.ts';
import { storeOver } from '../../src/stores/memory.ts';
import { context } from '../events.ts';

/** How a request fails: before it reaches the handler, after the effect, or refused by what stands before the handler. */
const FAULTS = ['lost before', 'lost after', '503', '429'] as const;

export interface Server {
  /** The network to a handler of ours, and back. */
  readonly fetch: typeof globalThis.fetch;
  /** How often each order was made. */
  readonly effects: Map<string, number>;
  /** How often a request for an order was sent. */
  readonly sent: (name: string) => number;
  /** Forgets all that it knows. */
  readonly reset: () => void;
}

export interface Weather {
  readonly random: () => number;
  /** The part of all requests that fail. May change with time. */
  readonly failing: () => number;
  /** Ms that a request takes. */
  readonly latency?: number;
  /** Whether the key is lost on the way, and the handler runs without protection. */
  readonly isKeyLost?: boolean;
}

/** `idempotent` as users have it, on the reference store, behind a network that fails. */
export function serverIn({ random, failing, latency = 0, isKeyLost = false }: Weather): Server {
  const effects = new Map<string, number>();
  const records = new Map();
  const make = async ({ body = '' }: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    effects.set(body, (effects.get(body) ?? 0) + 1);
    return { statusCode: 201, body };
  };
  const handler = idempotent(make, { store: storeOver(records), scope: 'orders', onMissingKey: 'run' });
  const sent = new Map<string, number>();
  return {
    effects,
    sent: (name) => sent.get(name) ?? 0,
    reset: () => {
      effects.clear();
      sent.clear();
      records.clear();
    },
    async fetch(_, init = {}) {
      const name = String(init.body);
      sent.set(name, (sent.get(name) ?? 0) + 1);
      if (latency > 0) await new Promise((resolve) => setTimeout(resolve, latency));
      const fault = random() < failing() ? FAULTS[Math.floor(random() * FAULTS.length)] : undefined;
      if (fault === 'lost before') throw new TypeError('connection reset');
      if (fault === '503' || fault === '429') return new Response(null, { status: Number(fault) });
      const answer = await handler(eventOf(init, isKeyLost), context());
      if (fault === 'lost after') throw new TypeError('connection reset');
      const { statusCode = 200, headers = {}, body } = answer as APIGatewayProxyStructuredResultV2;
      return new Response(body, { status: statusCode, headers: headers as Record<string, string> });
    },
  };
}

function eventOf({ headers: all, body }: RequestInit, isKeyLost: boolean): APIGatewayProxyEventV2 {
  const { 'idempotency-key': key, ...headers } = all as Record<string, string>;
  return {
    version: '2.0',
    routeKey: 'POST /orders',
    rawPath: '/orders',
    rawQueryString: '',
    headers: isKeyLost ? headers : { ...headers, 'idempotency-key': key },
    requestContext: { http: { method: 'POST', path: '/orders' }, stage: '$default' },
    body,
    isBase64Encoded: false,
  } as unknown as APIGatewayProxyEventV2;
}
