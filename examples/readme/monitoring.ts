import { Stack } from 'aws-cdk-lib';
import * as sns from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import {
  IdempotencyMonitoring,
  IdempotencyTable,
  IdempotentFunction,
  IdempotentQueueConsumer,
} from 'effectively-once/cdk';

export class MonitoredStack extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const table = new IdempotencyTable(this, 'Idempotency');
    const charge = new IdempotentFunction(this, 'Charge', { entry: 'src/charge.ts', table, scope: 'charge' });
    const orders = new IdempotentQueueConsumer(this, 'Orders', { entry: 'src/orders.ts', table, scope: 'orders' });
    const topic = new sns.Topic(this, 'Alarms', { enforceSSL: true });
    new IdempotencyMonitoring(this, 'Monitoring', { table, functions: [charge, orders], topic });
    charge
      .metricRefusals({ code: 'MISMATCH' })
      .createAlarm(this, 'Mismatches', { threshold: 10, evaluationPeriods: 1 });
  }
}
