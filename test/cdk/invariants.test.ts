import { fileURLToPath } from 'node:url';
import {
  Aspects,
  CfnParameter,
  Duration,
  Fn,
  type IAspect,
  RemovalPolicies,
  RemovalPolicy,
  Stack,
  type StackProps,
} from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import {
  configureIdempotency,
  grantIdempotency,
  grantOperate,
  IdempotencyTable,
  IdempotentFunction,
  type IdempotentFunctionProps,
  IdempotentQueueConsumer,
  type IdempotentQueueConsumerProps,
} from 'effectively-once/cdk';
import { beforeEach, describe, expect, it } from 'vitest';
import { ENVIRONMENT } from '../../src/environment.ts';
import { ACTIONS } from '../../src/stores/dynamodb/item.ts';
import { testApp } from './assemblies.ts';

let app: ReturnType<typeof testApp>;
let stack: Stack;
beforeEach(() => {
  app = testApp();
  stack = new Stack(app, 'Stack');
});
const entry = fileURLToPath(new URL('../../examples/orders/charge-order.ts', import.meta.url));
const STRING = dynamodb.AttributeType.STRING;
const functionHas = (properties: object, of = stack) =>
  Template.fromStack(of).hasResourceProperties('AWS::Lambda::Function', properties);
const environmentHas = (variables: object, of = stack) =>
  functionHas({ Environment: { Variables: Match.objectLike(variables) } }, of);
const build = (props: Partial<IdempotentFunctionProps> = {}, of = stack) =>
  new IdempotentFunction(of, 'Function', {
    entry,
    table: props.table ?? new IdempotencyTable(of, 'Table'),
    scope: 'charge',
    ...props,
  });

describe('a table elsewhere', () => {
  const ARN = 'arn:aws:dynamodb:eu-west-1:000000000000:table/records';
  const placed = (env: StackProps['env']) => new Stack(app, 'Placed', { env });

  it.each<[string, StackProps['env'] | undefined]>([
    ['in another account', { account: '000000000001', region: 'eu-west-1' }],
    ['in another Region', { account: '000000000000', region: 'us-east-1' }],
    ['perhaps elsewhere, as the stack is not told where it is', undefined],
  ])('is named by its ARN %s, and granted by it', (_, env) => {
    const here = placed(env);
    build({ table: dynamodb.Table.fromTableArn(here, 'Theirs', ARN) }, here);
    environmentHas({ [ENVIRONMENT.table]: ARN }, here);
    const grant = Match.objectLike({ Action: [...ACTIONS], Resource: ARN });
    Template.fromStack(here).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: Match.arrayWith([grant]) },
    });
  });

  it('is named by its name in the same account and Region, where writes can share requests', () => {
    const here = placed({ account: '000000000000', region: 'eu-west-1' });
    build({ table: dynamodb.Table.fromTableArn(here, 'Ours', ARN) }, here);
    environmentHas({ [ENVIRONMENT.table]: 'records' }, here);
  });

  it('is named by its name in another stack of no known place', () => {
    const table = new IdempotencyTable(new Stack(app, 'Other'), 'Table');
    build({ table });
    environmentHas({ [ENVIRONMENT.table]: { 'Fn::ImportValue': Match.stringLikeRegexp('RefTable') } });
  });

  it('is named by an ARN that is only known when it is deployed', () => {
    build({ table: dynamodb.Table.fromTableArn(stack, 'Theirs', Fn.importValue('records')) });
    environmentHas({ [ENVIRONMENT.table]: { 'Fn::ImportValue': 'records' } });
  });

  it('warns that its owner must allow the function, too', () => {
    const here = placed({ account: '000000000001', region: 'eu-west-1' });
    build({ table: dynamodb.Table.fromTableArn(here, 'Theirs', ARN) }, here);
    Annotations.fromStack(here).hasWarning('*', Match.stringLikeRegexp('resource policy must allow .*PutItem'));
  });

  it('does not warn in the same account', () => {
    const here = placed({ account: '000000000000', region: 'us-east-1' });
    build({ table: dynamodb.Table.fromTableArn(here, 'Ours', ARN) }, here);
    Annotations.fromStack(here).hasNoWarning('*', Match.stringLikeRegexp('resource policy'));
  });

  it('with a key of its own: the grant covers it', () => {
    const encryptionKey = kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-west-1:000000000000:key/1');
    build({ table: dynamodb.Table.fromTableAttributes(stack, 'Theirs', { tableArn: ARN, encryptionKey }) });
    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Resource: encryptionKey.keyArn })]) },
    });
  });
});

describe('a global table', () => {
  const global = (of: Stack, props: object = {}) =>
    new dynamodb.TableV2(of, 'Global', {
      partitionKey: { name: 'id', type: STRING },
      timeToLiveAttribute: 'expiresAt',
      ...props,
    });

  it('is taken as any table', () => {
    build({ table: global(stack) });
    environmentHas({ [ENVIRONMENT.table]: { Ref: Match.stringLikeRegexp('Global') } });
  });

  it('gives the function of another Region its replica there', () => {
    const account = '000000000000';
    const home = new Stack(app, 'Home', { env: { account, region: 'eu-west-1' } });
    const away = new Stack(app, 'Away', { env: { account, region: 'us-east-1' }, crossRegionReferences: true });
    const table = global(home, { tableName: 'records', replicas: [{ region: 'us-east-1' }] });
    build({ table: table.replica('us-east-1') }, away);
    const [{ Properties }] = Object.values<any>(Template.fromStack(away).findResources('AWS::Lambda::Function')) as any;
    const name = JSON.stringify(Properties.Environment.Variables[ENVIRONMENT.table]);
    expect(name).toMatch(/RefGlobal\w+"]}$/);
  });

  it('of strong consistency has no TTL', () => {
    const placed = new Stack(app, 'Placed', { env: { account: '000000000000', region: 'us-east-1' } });
    const table = global(placed, {
      timeToLiveAttribute: undefined,
      multiRegionConsistency: dynamodb.MultiRegionConsistency.STRONG,
      replicas: [{ region: 'us-east-2' }, { region: 'us-west-2' }],
    });
    expect(() => build({ table }, placed)).not.toThrow();
  });
});

describe('a table that cannot hold records fails', () => {
  const id = { name: 'id', type: STRING };
  const timeToLiveAttribute = 'expiresAt';

  it.each<[string, dynamodb.TableProps, RegExp]>([
    [
      'another key',
      { partitionKey: { name: 'pk', type: STRING }, timeToLiveAttribute },
      /key of the table is pk \(S\); expected id \(S\)/,
    ],
    [
      'a key of another type',
      { partitionKey: { name: 'id', type: dynamodb.AttributeType.NUMBER }, timeToLiveAttribute },
      /is id \(N\); expected/,
    ],
    [
      'a sort key',
      { partitionKey: id, sortKey: { name: 'sk', type: STRING }, timeToLiveAttribute },
      /is id \(S\), sk \(S\); expected/,
    ],
    ['no TTL', { partitionKey: id }, /`timeToLiveAttribute` is not set; expected expiresAt/],
    [
      'another TTL',
      { partitionKey: id, timeToLiveAttribute: 'ttl' },
      /`timeToLiveAttribute` is ttl; expected expiresAt/,
    ],
  ])('with %s', (_, props, message) => {
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
    for (const [n, table] of [
      new dynamodb.Table(stack, 'One', props),
      new dynamodb.TableV2(stack, 'Two', props as any),
    ].entries()) {
      expect(() => grantIdempotency(table, role)).toThrow(message);
      expect(() => new IdempotentFunction(stack, `Function${n}`, { entry, table, scope: 's' })).toThrow(message);
    }
  });

  it('and says which', () => {
    const table = new dynamodb.Table(stack, 'Mine', { partitionKey: id });
    expect(() => build({ table })).toThrow(/^Stack\/Mine: /);
  });

  const cfn = (props: Partial<dynamodb.CfnTableProps> = {}) =>
    new dynamodb.CfnTable(stack, 'Cfn', {
      keySchema: [{ attributeName: 'id', keyType: 'HASH' }],
      attributeDefinitions: [{ attributeName: 'id', attributeType: 'S' }],
      ...props,
    });
  const made = (of = stack) => new dynamodb.Table(of, 'Made', { partitionKey: id, tableName: 'made' });

  it.each<[string, () => dynamodb.ITable]>([
    ['the name of a resource', () => dynamodb.Table.fromTableName(stack, 'T', cfn().ref)],
    ['the ARN of a resource', () => dynamodb.Table.fromTableArn(stack, 'T', cfn().attrArn)],
    [
      'a name that is put together',
      () => dynamodb.Table.fromTableName(stack, 'T', Fn.select(1, Fn.split('/', cfn().attrArn))),
    ],
    ['the name of a table', () => dynamodb.Table.fromTableName(stack, 'T', made().tableName)],
    ['the ARN of a table', () => dynamodb.Table.fromTableArn(stack, 'T', made().tableArn)],
    [
      'the attributes of a table',
      () => dynamodb.TableV2.fromTableAttributes(stack, 'T', { tableArn: made().tableArn }),
    ],
    [
      'the name of a table of another stack',
      () => dynamodb.Table.fromTableName(stack, 'T', made(new Stack(app, 'O')).tableName),
    ],
    [
      'the ARN of a table of another stack',
      () => dynamodb.Table.fromTableArn(stack, 'T', made(new Stack(app, 'O')).tableArn),
    ],
  ])('also where it is imported by %s of this app', (_, table) => {
    expect(() => build({ table: table() })).toThrow(/^Stack\/T: `timeToLiveAttribute` is not set; expected expiresAt/);
  });

  it('but one that is imported so and can is granted as an imported one', () => {
    const timeToLiveSpecification = { attributeName: 'expiresAt', enabled: true };
    const table = dynamodb.Table.fromTableName(stack, 'T', cfn({ timeToLiveSpecification }).ref);
    expect(() => build({ table })).not.toThrow();
    expect(() => grantIdempotency(table, new iam.AccountPrincipal('000000000001'))).toThrow(/can hold no policy/);
  });

  it('nor is anything known of a name from elsewhere', () => {
    const parameter = new CfnParameter(stack, 'Name').valueAsString;
    expect(() => build({ table: dynamodb.Table.fromTableName(stack, 'T', parameter) })).not.toThrow();
  });

  it.each<[string, (table: dynamodb.CfnTable) => void, RegExp]>([
    [
      'loses its TTL',
      (table) => table.addPropertyDeletionOverride('TimeToLiveSpecification'),
      /Stack\/Table: `timeToLiveAttribute` is not set; expected expiresAt/,
    ],
    [
      'gets another',
      (table) => table.addPropertyOverride('TimeToLiveSpecification.AttributeName', 'ttl'),
      /Stack\/Table: `timeToLiveAttribute` is ttl; expected expiresAt/,
    ],
    [
      'gets another key',
      (table) => {
        table.keySchema = [{ attributeName: 'pk', keyType: 'HASH' }];
      },
      /Stack\/Table: the key of the table is pk/,
    ],
  ])('at synthesis, if it %s later', (_, change, message) => {
    const table = new IdempotencyTable(stack, 'Table');
    build({ table });
    change(table.node.defaultChild as dynamodb.CfnTable);
    expect(() => app.synth()).toThrow(message);
  });
});

describe('the removal of a stack', () => {
  const isProtected = (expected: boolean) =>
    Template.fromStack(stack).hasResourceProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: expected });

  it('takes its table with it when told to, whenever that is', () => {
    new IdempotencyTable(stack, 'Table');
    RemovalPolicies.of(stack).destroy();
    isProtected(false);
  });

  it('does so by the method of the table', () => {
    new IdempotencyTable(stack, 'Table').applyRemovalPolicy(RemovalPolicy.DESTROY);
    isProtected(false);
  });

  it('does not unprotect a table that was to be protected', () => {
    new IdempotencyTable(stack, 'Table', { deletionProtection: true });
    RemovalPolicies.of(stack).destroy();
    isProtected(true);
  });

  it('protects a table that is retained after all', () => {
    new IdempotencyTable(stack, 'Table', { removalPolicy: RemovalPolicy.DESTROY });
    RemovalPolicies.of(stack).retain();
    isProtected(true);
  });
});

describe('grantIdempotency', () => {
  const statement = { Action: [...ACTIONS], Effect: 'Allow' };

  it.each([
    ['an account', new iam.AccountPrincipal('000000000001')],
    ['a role of another account', undefined],
  ])('names %s in the resource policy of the table', (_, principal) => {
    const table = new IdempotencyTable(stack, 'Table');
    const role = iam.Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::000000000001:role/theirs');
    table.grantIdempotency(principal ?? role, { scopes: ['charge'] });
    Template.fromStack(stack).hasResourceProperties('AWS::DynamoDB::Table', {
      ResourcePolicy: {
        PolicyDocument: {
          Statement: [
            Match.objectLike({
              ...statement,
              Resource: '*',
              Principal: { AWS: Match.anyValue() },
              Condition: Match.anyValue(),
            }),
          ],
        },
      },
    });
  });

  it('throws for an account and an imported table: neither can hold the grant', () => {
    const table = dynamodb.Table.fromTableName(stack, 'T', 'records');
    expect(() => grantIdempotency(table, new iam.AccountPrincipal('000000000001'))).toThrow(
      /can hold no policy.*; expected a role or a function/,
    );
  });

  const lambdaService = new iam.ServicePrincipal('lambda.amazonaws.com');

  it.each<[string, iam.IPrincipal]>([
    ['a service', lambdaService],
    ['one with conditions', lambdaService.withConditions({ StringEquals: { 'aws:SourceAccount': '000000000001' } })],
    ['an account and a service', new iam.CompositePrincipal(new iam.AccountPrincipal('000000000001'), lambdaService)],
  ])('throws for %s, whosever table it is', (_, principal) => {
    const tables = [new IdempotencyTable(stack, 'Ours'), dynamodb.Table.fromTableName(stack, 'Theirs', 'records')];
    for (const table of tables) {
      expect(() => grantIdempotency(table, principal)).toThrow(
        /^the grantee is .*lambda.amazonaws.com.*; expected a role, a function or an account: DynamoDB takes no service in a resource policy$/,
      );
    }
  });

  describe('to a role that this app cannot change', () => {
    const HERE = '000000000000';
    const NOTHING = Match.stringLikeRegexp('nothing was granted.*PutItem.*(Ours|Theirs)');
    let here: Stack;
    beforeEach(() => {
      here = new Stack(app, 'Here', { env: { account: HERE, region: 'eu-west-1' } });
    });
    const roleOf = (account: string, options?: iam.FromRoleArnOptions) =>
      iam.Role.fromRoleArn(here, 'Role', `arn:aws:iam::${account}:role/theirs`, options);
    const ours = () => new IdempotencyTable(here, 'Ours');
    const theirs = () => dynamodb.Table.fromTableName(here, 'Theirs', 'records');
    const existing = (role: iam.IRole) =>
      new lambda.Function(here, 'Existing', {
        code: lambda.Code.fromInline(' '),
        handler: 'index.handler',
        runtime: lambda.Runtime.NODEJS_24_X,
        role,
      });

    it.each<[string, (table: dynamodb.ITable, role: iam.IRole) => unknown]>([
      ['grantIdempotency', grantIdempotency],
      ['grantOperate', grantOperate],
      ['configureIdempotency', (table, role) => configureIdempotency(existing(role), { table, scope: 'charge' })],
      ['IdempotentFunction', (table, role) => build({ table, role }, here)],
    ])('of another account, on an imported table, throws: %s', (_, grant) => {
      expect(() => grant(theirs(), roleOf('000000000001'))).toThrow(/can hold no policy/);
    });

    it('throws so for a table of the account of the role', () => {
      const table = dynamodb.Table.fromTableArn(
        here,
        'Theirs',
        'arn:aws:dynamodb:eu-west-1:000000000001:table/records',
      );
      expect(() => grantIdempotency(table, roleOf('000000000001'))).toThrow(/can hold no policy/);
    });

    it.each<[string, () => dynamodb.ITable, () => iam.IRole]>([
      ['a table of this app', ours, () => roleOf(HERE, { mutable: false })],
      ['an imported table', theirs, () => roleOf(HERE, { mutable: false })],
      [
        'an imported table, made here',
        theirs,
        () => new iam.Role(here, 'Role', { assumedBy: lambdaService }).withoutPolicyUpdates(),
      ],
    ])('on %s, warns', (_, table, role) => {
      grantIdempotency(table(), role());
      Annotations.fromStack(here).hasWarning('*', NOTHING);
    });

    it('warns of a function that exists, too', () => {
      configureIdempotency(existing(roleOf(HERE, { mutable: false })), { table: ours(), scope: 'charge' });
      Annotations.fromStack(here).hasWarning('/Here/Existing', NOTHING);
    });

    it.each<[string, () => dynamodb.ITable, () => iam.IGrantable]>([
      ['of this account', theirs, () => roleOf(HERE)],
      ['made here', theirs, () => new iam.Role(here, 'Role', { assumedBy: lambdaService })],
      ['a user', theirs, () => new iam.User(here, 'User')],
      ['of another account, where the table names it', ours, () => roleOf('000000000001')],
      ['where the table names it', ours, () => roleOf(HERE, { mutable: false, addGrantsToResources: true })],
    ])('but not to one %s', (_, table, grantee) => {
      grantIdempotency(table(), grantee());
      Annotations.fromStack(here).hasNoWarning('*', NOTHING);
      expect(JSON.stringify(Template.fromStack(here))).toContain(ACTIONS[0]);
    });
  });

  it('is for an imported table what it is for ours', () => {
    const table = dynamodb.Table.fromTableName(stack, 'Imported', 'records');
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
    grantIdempotency(table, role, { scopes: ['charge'] });
    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: [
          {
            ...statement,
            Resource: stack.resolve(table.tableArn),
            Condition: Match.objectLike({ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['charge#*'] } }),
          },
        ],
      },
    });
  });
});

describe('the environment', () => {
  it.each([
    [ENVIRONMENT.table, 'table'],
    [ENVIRONMENT.scope, 'scope'],
    [ENVIRONMENT.retention, 'retention'],
    [ENVIRONMENT.functionTimeout, 'timeout'],
  ])('may not say %s, which a prop does', (name, prop) => {
    const message = `\`environment\` has ${name}: "mine"; expected the prop \`${prop}\``;
    expect(() => build({ environment: { [name]: 'mine' } })).toThrow(message);
    const unscoped = {
      environment: { [name]: 'mine' },
      scope: undefined,
      table: dynamodb.Table.fromTableName(stack, 'T', 't'),
    };
    expect(() => build(unscoped)).toThrow(message);
  });

  it('may not be changed later, either', () => {
    build().addEnvironment(ENVIRONMENT.retention, '1s');
    expect(() => app.synth()).toThrow(/`environment` has IDEMPOTENCY_RETENTION: "1s"; expected "86400s"/);
  });

  it('may not be changed by an override, either', () => {
    const resource = build().node.defaultChild as lambda.CfnFunction;
    resource.addPropertyOverride(`Environment.Variables.${ENVIRONMENT.table}`, 'another');
    expect(() => app.synth()).toThrow(/`environment` has IDEMPOTENCY_TABLE: "another"; expected .*Stack\/Table/);
  });

  it('follows no timeout that an aspect has changed: that fails', () => {
    build();
    const visit: IAspect['visit'] = (node) => {
      if (node instanceof lambda.CfnFunction) node.timeout = 60;
    };
    Aspects.of(stack).add({ visit });
    expect(() => app.synth()).toThrow(/`IDEMPOTENCY_FUNCTION_TIMEOUT` is 30; expected 60 s/);
  });

  it('says a timeout and a retention that are only known when it is deployed', () => {
    const parameter = (name: string) =>
      Duration.seconds(new CfnParameter(stack, name, { type: 'Number' }).valueAsNumber);
    build({ timeout: parameter('Timeout'), retention: parameter('Retention') });
    const seconds = (Ref: string) => ({ 'Fn::Join': ['', [{ Ref }, 's']] });
    environmentHas({
      [ENVIRONMENT.functionTimeout]: seconds('Timeout'),
      [ENVIRONMENT.retention]: seconds('Retention'),
    });
    functionHas({ Timeout: { Ref: 'Timeout' } });
  });
});

describe('props that the runtime cannot work with', () => {
  it.each<[Partial<IdempotentFunctionProps>, RegExp]>([
    [{ runtime: lambda.Runtime.NODEJS_20_X }, /`runtime` is nodejs20.x; expected nodejs22.x or later/],
    [
      { retention: Duration.hours(1), maxEventAge: Duration.hours(2) },
      /`retention` is 3600; expected at least 7200s, `maxEventAge`/,
    ],
  ])('fail: %o', (props, message) => {
    expect(() => build(props)).toThrow(message);
  });

  it.each<Partial<IdempotentFunctionProps>>([
    { runtime: lambda.Runtime.NODEJS_22_X, architecture: lambda.Architecture.X86_64 },
    { retention: Duration.hours(2), maxEventAge: Duration.hours(2), retryAttempts: 0 },
    { handler: 'charge' },
  ])('others do not: %o', (props) => {
    expect(() => build(props)).not.toThrow();
  });
});

describe('event sources of an idempotent function', () => {
  const queue = (props: sqs.QueueProps = {}) =>
    new sqs.Queue(stack, 'Queue', {
      visibilityTimeout: Duration.seconds(180),
      deadLetterQueue: { queue: new sqs.Queue(stack, 'Dead'), maxReceiveCount: 5 },
      ...props,
    });

  it('fail synthesis without partial failures', () => {
    build({ retention: Duration.days(8), events: [new SqsEventSource(queue())] });
    expect(() => app.synth()).toThrow(/`reportBatchItemFailures` is false; expected true/);
  });

  it('fail synthesis if their queue does not fit, also when they come later', () => {
    build().addEventSource(
      new SqsEventSource(queue({ visibilityTimeout: Duration.seconds(30) }), { reportBatchItemFailures: true }),
    );
    expect(() => app.synth()).toThrow(
      /`visibilityTimeout` is 30; expected at least 180.*`retention` is 86400; expected at least 691200/s,
    );
  });

  it('are as good as those of the consumer if they keep its rules', () => {
    build({ retention: Duration.days(8), events: [new SqsEventSource(queue(), { reportBatchItemFailures: true })] });
    expect(() => app.synth()).not.toThrow();
  });
});

describe('a queue consumer', () => {
  const consume = (props: Partial<IdempotentQueueConsumerProps>) =>
    new IdempotentQueueConsumer(stack, 'Consumer', {
      entry,
      table: new IdempotencyTable(stack, 'Table'),
      scope: 's',
      ...props,
    });
  const number = () => new CfnParameter(stack, 'P', { type: 'Number' }).valueAsNumber;

  it.each([
    'timeout',
    'visibilityTimeout',
    'maxBatchingWindow',
    'queueRetention',
    'deadLetterRetention',
    'retention',
  ] as const)('fails if its `%s` is only known when it is deployed, as the others follow from it', (name) => {
    const message = `\`${name}\` is not known at synthesis; expected a value that is`;
    expect(() => consume({ [name]: Duration.seconds(number()) })).toThrow(message);
  });

  it.each(['batchSize', 'maxReceiveCount', 'maxConcurrency', 'reservedConcurrentExecutions'] as const)(
    'fails so for `%s`',
    (name) => {
      expect(() => consume({ [name]: number() })).toThrow(`\`${name}\` is not known at synthesis`);
    },
  );

  it.each<[Partial<IdempotentQueueConsumerProps>, RegExp]>([
    [{ reservedConcurrentExecutions: 5 }, /`maxConcurrency` is not set; expected at most 5, the reserved concurrency/],
    [{ reservedConcurrentExecutions: 5, maxConcurrency: 6 }, /`maxConcurrency` is 6; expected at most 5/],
  ])('fails on %o: throttled batches use up receives', (props, message) => {
    expect(() => consume(props)).toThrow(message);
  });

  it('takes as much concurrency as it has reserved', () => {
    expect(() => consume({ reservedConcurrentExecutions: 5, maxConcurrency: 5 })).not.toThrow();
  });
});
