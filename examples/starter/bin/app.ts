import { App } from 'aws-cdk-lib';
import { ShopStack } from '../lib/shop-stack.ts';

new ShopStack(new App(), 'Shop');
