import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Construct } from 'constructs';
import { IdempotencyTable, IdempotentFunction, IdempotentQueueConsumer } from 'effectively-once/cdk';

export class ShopStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const table = new IdempotencyTable(this, 'Idempotency');

    const { queue } = new IdempotentQueueConsumer(this, 'ChargeOrder', {
      entry: 'src/charge-order.ts',
      table,
      scope: 'charge-order',
    });

    const placeOrder = new IdempotentFunction(this, 'PlaceOrder', {
      entry: 'src/place-order.ts',
      table,
      scope: 'place-order',
      environment: { QUEUE_URL: queue.queueUrl },
    });
    queue.grantSendMessages(placeOrder);

    const api = new apigateway.HttpApi(this, 'Api');
    api.addRoutes({
      path: '/orders',
      methods: [apigateway.HttpMethod.POST],
      integration: new HttpLambdaIntegration('PlaceOrder', placeOrder),
    });
    new CfnOutput(this, 'ApiUrl', { value: api.apiEndpoint });
  }
}
