import { App } from 'aws-cdk-lib';
import { OrdersStack } from '../../lib/orders-stack.ts';
import { TripsStack } from '../../lib/trips-stack.ts';
import { FaultyStack } from './stack.ts';

const app = new App();
new OrdersStack(app, 'Orders');
new FaultyStack(app, 'Faulty');
new TripsStack(app, 'Trips');
