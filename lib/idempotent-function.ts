import { Annotations, Duration, Token } from 'aws-cdk-lib';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as nodejs from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Construct } from 'constructs';
import { ENVIRONMENT, isMetrics } from '../src/environment.ts';
import { bundlingOf } from './bundling.ts';
import { configure } from './configure-idempotency.ts';
import { measured } from './idempotency-metrics.ts';

export interface IdempotentFunctionProps extends nodejs.NodejsFunctionProps {
  /** The module with the handler. */
  readonly entry: string;
  /** The table of idempotency records. */
  readonly table: dynamodb.ITable;
  /**
   * Name of the operation, the namespace of its keys. Keep it when the function is renamed: under another name everything that
   * was done is forgotten.
   * @default - the function's name, with a warning
   */
  readonly scope?: string;
  /**
   * Other scopes that the code names, for `runOnce`. With `scope`, the function may read and write the records of these alone.
   * @default - none
   */
  readonly scopes?: readonly string[];
  /**
   * How long an outcome is kept, and the least that the code may ask for.
   * @default Duration.hours(24)
   */
  readonly retention?: Duration;
  /**
   * How the handler is bundled. With `bundleAwsSDK: false` the function uses the AWS SDK of its Lambda runtime: the bundle is an
   * eighth as large, and the version of the SDK is one that you have not tested (`docs/constructs.md` has the figures). Your `banner`
   * is added behind the one that CommonJS dependencies need in an ESM bundle.
   * @default - ESM, minified with names kept, with the AWS SDK
   */
  readonly bundling?: nodejs.BundlingOptions;
}

/** Lambda's own default is 3 s, which a cold start and a payment do not fit into. */
export const TIMEOUT = Duration.seconds(30);

/**
 * A `NodejsFunction` with the environment that the runtime reads, and a grant of the actions that it uses. A prop that would break
 * it throws; what would break it later, as an event source without partial failures, fails synthesis.
 *
 * @example
 * new IdempotentFunction(this, 'Charge', { entry: 'src/charge.ts', table, scope: 'charge' });
 */
export class IdempotentFunction extends measured(nodejs.NodejsFunction) {
  constructor(parent: Construct, id: string, props: IdempotentFunctionProps) {
    const { table, scope, scopes, retention, ...rest } = props;
    checkEnvironment(props.environment);
    super(parent, id, {
      ...rest,
      runtime: props.runtime ?? lambda.Runtime.NODEJS_24_X,
      architecture: props.architecture ?? lambda.Architecture.ARM_64,
      timeout: props.timeout ?? TIMEOUT,
      bundling: bundlingOf(props.bundling, props.code !== undefined || (props.layers ?? []).length > 0),
    });
    configure(this, { table, scope, scopes, retention });
    if (scope === undefined) {
      Annotations.of(this).addWarningV2(
        'effectively-once:scope',
        'The keys of this function are kept under its name: renaming it forgets what was done. Set `scope`.',
      );
    }
  }
}

const PROPS = {
  [ENVIRONMENT.table]: 'table',
  [ENVIRONMENT.scope]: 'scope',
  [ENVIRONMENT.retention]: 'retention',
  [ENVIRONMENT.functionTimeout]: 'timeout',
} as const;

/** Throws for what a prop sets, computes with, or grants by. */
function checkEnvironment(environment: Readonly<Record<string, string>> = {}): void {
  for (const [name, prop] of Object.entries(PROPS)) {
    if (environment[name] === undefined) continue;
    throw new Error(`\`environment\` has ${name}: ${JSON.stringify(environment[name])}; expected the prop \`${prop}\``);
  }
  const metrics = environment[ENVIRONMENT.metrics];
  if (!metrics || Token.isUnresolved(metrics) || isMetrics(metrics)) return;
  throw new Error(
    `\`environment\` has ${ENVIRONMENT.metrics}: ${JSON.stringify(metrics)}; expected emf or emf:<namespace>`,
  );
}
