import { App } from 'aws-cdk-lib';
import { TripsStack } from '../lib/trips-stack.ts';

const app = new App();
const clusterArn: string | undefined = app.node.tryGetContext('kafkaClusterArn');
new TripsStack(app, 'Trips', clusterArn === undefined ? {} : { kafka: { clusterArn, topic: 'trips' } });
