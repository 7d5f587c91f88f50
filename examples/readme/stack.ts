import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { IdempotencyTable, IdempotentFunction, IdempotentQueueConsumer } from 'effectively-once/cdk';

export class PaymentsStack extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const table = new IdempotencyTable(this, 'Idempotency');
    new IdempotentFunction(this, 'Charge', { entry: 'src/charge.ts', table, scope: 'charge' });
    new IdempotentQueueConsumer(this, 'Orders', { entry: 'src/orders.ts', table, scope: 'orders' });
  }
}
