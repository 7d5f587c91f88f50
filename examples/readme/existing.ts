import { Aspects, Duration, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { configureIdempotency, grantIdempotency, IdempotencyAudit, IdempotencyTable } from 'effectively-once/cdk';

export class ExistingStack extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const table = new IdempotencyTable(this, 'Idempotency');
    const charge = new lambda.Function(this, 'Charge', {
      code: lambda.Code.fromAsset('src'),
      handler: 'charge.handler',
      runtime: lambda.Runtime.NODEJS_24_X,
      timeout: Duration.seconds(30),
    });
    configureIdempotency(charge, { table, scope: 'charge' }); // environment, grant, checks
    grantIdempotency(table, charge, { scopes: ['refund'] }); // a grant alone
    Aspects.of(this).add(new IdempotencyAudit()); // reports what breaks a rule, anywhere in the stack
  }
}
