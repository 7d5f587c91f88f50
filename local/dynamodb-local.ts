import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { answers, type Engine } from './dynamodb.ts';
import { CHECKOUT, install, need, run } from './install.ts';
import { freePort, type Server, startServer } from './server.ts';

const JARS = join(CHECKOUT, '.engines', 'dynamodb-local');
const REPOSITORY = join(CHECKOUT, '.engines', 'maven');
const SOURCES = join(import.meta.dirname, 'dynamodb-local');

/** Fetches Amazon's DynamoDB Local from Maven Central into `.engines`, unless it is there. */
export async function installDynamoDBLocal(): Promise<void> {
  await need('DynamoDB Local needs a JDK, 17 or later', 'java', ['--list-modules'], /jdk\.compiler@(1[7-9]|[2-9]\d)/);
  const pom = join(SOURCES, 'pom.xml');
  await install(JARS, pom, async () => {
    await need('DynamoDB Local is fetched by Maven', 'mvn', ['--version']);
    rmSync(JARS, { recursive: true, force: true });
    const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${JARS}`];
    await run('mvn', ['-q', '-B', '-f', pom, `-Dmaven.repo.local=${REPOSITORY}`, ...copy]);
  });
}

/** Starts it on a free loopback port, in memory. `installDynamoDBLocal` comes first. */
export async function startDynamoDBLocal(): Promise<Engine & Server> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const java = ['-XX:-UsePerfData', '-Djava.library.path=.', '-cp', '*', join(SOURCES, 'OnLoopback.java')];
  const server = await startServer({
    name: 'DynamoDB Local',
    command: 'java',
    args: [...java, '-inMemory', '-disableTelemetry', '-port', `${port}`],
    cwd: JARS,
    env: { ...process.env, DDB_LOCAL_TELEMETRY: '0' },
    answers: () => answers(endpoint),
    readyWithinMs: 60_000,
    missing: 'DynamoDB Local needs a JDK, 17 or later: put `java` on the PATH.',
  });
  return { ...server, endpoint };
}
