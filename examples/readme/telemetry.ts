import { emf, log, otel } from 'effectively-once/observe';

emf(); // CloudWatch metrics, by one line of the log for each invocation
otel(); // metrics and traces of OpenTelemetry
log(); // one line for whatever somebody should look into
