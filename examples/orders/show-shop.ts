import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

/** `./page`, bundled into one file; beside this one, if it is not said otherwise. */
const page = readFileSync(new URL(process.env['PAGE'] ?? 'page.html', import.meta.url), 'utf8');

/** Nothing but what is in the page itself, and the API that it comes from. */
const POLICY = [
  "default-src 'none'",
  `script-src ${hashesOf('script')}`,
  `style-src ${hashesOf('style')}`,
  'img-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];

/** `GET /`: the shop, for people. */
export async function handler(): Promise<APIGatewayProxyStructuredResultV2> {
  return {
    statusCode: 200,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': POLICY.join('; '),
      'Cache-Control': 'no-cache',
      'Referrer-Policy': 'same-origin',
      'X-Content-Type-Options': 'nosniff',
    },
    body: page,
  };
}

function hashesOf(tag: string): string {
  const elements = page.matchAll(new RegExp(`<${tag}[^>]*>([^]*?)</${tag}>`, 'g'));
  return [...elements]
    .map(([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`)
    .join(' ');
}
