import { IAMClient } from '@aws-sdk/client-iam';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Call, Connection } from '../command.ts';
import { type Looked, type Report, reportOf } from '../doctor/findings.ts';
import { functionsOf, lookAtFunction, lookAtRole } from '../doctor/functions.ts';
import { lookAtMappings } from '../doctor/mappings.ts';
import { lookAtTable } from '../doctor/table.ts';
import { EXIT } from '../exit.ts';
import { json } from '../json.ts';
import { printable, say, styled } from '../terminal.ts';

/** Looks at the table and at all that uses it; what it may not look at is said, and nothing is written. */
export async function doctor(call: Call): Promise<number> {
  const connection = call.connect();
  const report = reportOf();
  await lookAtAll(connection, report, call.options['function']?.split(','));
  const { looked } = report;
  if (call.options['json'] === true) say(json({ looked }));
  else print(looked);
  return looked.some(({ came }) => came === 'wrong') ? EXIT.findings : EXIT.done;
}

async function lookAtAll(connection: Connection, report: Report, names: readonly string[] | undefined): Promise<void> {
  const { table, client } = connection;
  const tableArn = await lookAtTable(connection, report);
  // They are where the table is, and use the same credentials.
  const { region, credentials, endpoint } = client.config;
  const at = { region, credentials, ...(endpoint && { endpoint }), maxAttempts: 2 };
  const lambda = new LambdaClient(at);
  const [iam, sqs] = [new IAMClient(at), new SQSClient(at)];
  // Its own speaks HTTP/2, which no local AWS does without TLS.
  const kinesis = new KinesisClient({ ...at, requestHandler: lambda.config.requestHandler });
  for (const configuration of await functionsOf(lambda, report, { table, names })) {
    const properties = await lookAtFunction(lambda, report, configuration);
    if (tableArn) await lookAtRole(iam, report, configuration, tableArn);
    await lookAtMappings({ lambda, sqs, kinesis }, report, configuration, properties);
  }
}

const MARKS = { fine: ['green', '✓'], wrong: ['red', '✗'], unchecked: ['yellow', '?'] } as const;

function print(looked: readonly Looked[]): void {
  for (const { at, came, text, rule } of looked) {
    const [color, mark] = MARKS[came];
    const named = rule === undefined ? '' : ` [${rule}]`;
    say(`${styled(color, mark)} ${printable(at)}: ${printable(text)}${named}`);
  }
}
