import { Annotations, Duration } from 'aws-cdk-lib';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as nodejs from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Construct } from 'constructs';
import { ENVIRONMENT } from '../src/environment.ts';
import { checkScope, grantIdempotency } from './idempotency-table.ts';

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
}

/** Lambda's own default is 3 s, which a cold start and a payment do not fit into. */
export const TIMEOUT = Duration.seconds(30);

/**
 * A `NodejsFunction` with the environment that the runtime reads, and a grant of the actions that it uses.
 *
 * @example
 * new IdempotentFunction(this, 'Charge', { entry: 'src/charge.ts', table, scope: 'charge' });
 */
export class IdempotentFunction extends nodejs.NodejsFunction {
  constructor(parent: Construct, id: string, props: IdempotentFunctionProps) {
    const { table, scope, scopes = [], retention = Duration.hours(24), ...rest } = props;
    const timeout = props.timeout ?? TIMEOUT;
    if (scope !== undefined) checkScope('scope', scope);
    if (scope === undefined && scopes.length > 0) {
      throw new Error(
        '`scopes` is set without `scope`; expected both: otherwise its own name is its scope, which the grant would deny',
      );
    }
    if (!retention.isUnresolved() && retention.toSeconds() <= 0) {
      throw new Error(`\`retention\` is ${retention.toSeconds()}; expected more than 0 s`);
    }
    super(parent, id, {
      ...rest,
      runtime: props.runtime ?? lambda.Runtime.NODEJS_24_X,
      architecture: props.architecture ?? lambda.Architecture.ARM_64,
      timeout,
      environment: {
        ...props.environment,
        [ENVIRONMENT.table]: table.tableName,
        ...(scope !== undefined && { [ENVIRONMENT.scope]: scope }),
        [ENVIRONMENT.retention]: `${retention.toSeconds()}s`,
        [ENVIRONMENT.functionTimeout]: `${timeout.toSeconds()}s`,
      },
      bundling: {
        format: nodejs.OutputFormat.ESM,
        // The SDK that was tested with, not the one Lambda happens to have.
        bundleAwsSDK: true,
        // CommonJS in an ESM bundle asks for `require`.
        banner: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
        ...props.bundling,
      },
    });
    grantIdempotency(table, this, scope === undefined ? {} : { scopes: [scope, ...scopes] });
    if (scope === undefined) {
      Annotations.of(this).addWarningV2(
        'effectively-once:scope',
        'The keys of this function are kept under its name: renaming it forgets what was done. Set `scope`.',
      );
    }
  }
}
