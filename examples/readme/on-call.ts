import { Stack } from 'aws-cdk-lib';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { IdempotencyTable } from 'effectively-once/cdk';

/** Whoever has the first policy may look; with the second one, also decide. */
export class OnCallStack extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const table = new IdempotencyTable(this, 'Idempotency');
    table.grantOperate(new ManagedPolicy(this, 'Look'), { readOnly: true });
    table.grantOperate(new ManagedPolicy(this, 'Decide'));
  }
}
