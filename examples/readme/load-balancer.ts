import { AlbJwtVerifier } from 'aws-jwt-verify';
import type { ALBEvent, Context } from 'aws-lambda';
import { dynamoDBStore, idempotent } from 'effectively-once';

export const verifier = AlbJwtVerifier.create({
  albArn: 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188',
  issuer: 'https://idp.example.com',
  clientId: 'shop',
});

const placeOrder = idempotent(async (_: ALBEvent) => ({ statusCode: 201 }), { store: dynamoDBStore() });

export const handler = async (event: ALBEvent, context: Context) => {
  const token = event.headers?.['x-amzn-oidc-data'] ?? '';
  const claims = await verifier.verify(token).catch(() => undefined);
  if (!claims) return { statusCode: 401 };
  Object.assign(event.requestContext, { authorizer: { claims } }); // where a REST API names its caller
  return placeOrder(event, context);
};
