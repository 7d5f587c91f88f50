import { App } from 'aws-cdk-lib';
import { OrdersStack } from '../lib/orders-stack.ts';

new OrdersStack(new App(), 'Orders');
