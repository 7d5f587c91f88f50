import type middy from '@middy/core';
import { JwtVerifier } from 'aws-jwt-verify';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';

export const verifier = JwtVerifier.create({
  issuer: 'https://idp.example.com',
  audience: 'orders',
  jwksUri: 'https://idp.example.com/jwks',
});

/** For a function URL, which has no JWT authorizer: names the caller where one would. */
export const authenticate: middy.MiddlewareObj<APIGatewayProxyEventV2> = {
  before: async ({ event }) => {
    const token = event.headers['authorization']?.replace(/^Bearer /, '') ?? '';
    const claims = await verifier.verify(token).catch((cause) => {
      throw Object.assign(new Error('Unauthorized', { cause }), { statusCode: 401, expose: true });
    });
    Object.assign(event.requestContext, { authorizer: { jwt: { claims } } });
  },
};
