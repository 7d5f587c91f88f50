import { createServer, type IncomingMessage } from 'node:http';
import { inject } from 'vitest';
import { listen } from '../../local/listen.ts';

/** What a service answers: JSON, or XML where the service speaks that; an error has a status. */
interface Answer {
  readonly status?: number;
  readonly body: object | string;
}

/** By what is asked: the action of a service, or method and path. Undefined: it is denied. */
export type Answers = Readonly<Record<string, Answer | undefined>>;

/** AWS on this machine: answers as it is told, and DynamoDB is the embedded engine. */
export async function standIn(answers: Answers): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const asked = askedBy(request, body);
    if (asked.startsWith('DynamoDB_') && !(asked in answers)) {
      const { authorization, 'x-amz-target': target, 'content-type': type, 'x-amz-date': date } = request.headers;
      const headers = { authorization, 'x-amz-target': target, 'content-type': type, 'x-amz-date': date } as any;
      const answer = await fetch(inject('endpoint'), { method: 'POST', headers, body });
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
      return void response.end(await answer.text());
    }
    const { status = 200, body: said } =
      answers[asked] ?? (asked === 'SimulatePrincipalPolicy' ? DENIED_IN_XML : DENIED);
    const isText = typeof said === 'string';
    const error = status === 403 ? { 'x-amzn-errortype': 'AccessDeniedException' } : {};
    response.writeHead(status, { 'content-type': isText ? 'text/xml' : 'application/json', ...error });
    response.end(isText ? said : JSON.stringify(said));
  });
  return listen(server);
}

const DENIED: Answer = { status: 403, body: { __type: 'AccessDeniedException', message: 'not allowed' } };

const DENIED_IN_XML: Answer = {
  status: 403,
  body: '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not allowed</Message></Error></ErrorResponse>',
};

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}

function askedBy({ headers, method, url = '' }: IncomingMessage, body: string): string {
  const target = headers['x-amz-target'];
  if (typeof target === 'string') return target;
  const action = new URLSearchParams(body).get('Action');
  return action ?? `${method} ${url.replace(/\?.*/, '').replace(/\/$/, '')}`;
}
