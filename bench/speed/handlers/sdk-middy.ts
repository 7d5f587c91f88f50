import middy from '@middy/core';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { handler as bare } from './sdk.ts';

export const handler = middy<APIGatewayProxyEventV2>().handler(bare);
