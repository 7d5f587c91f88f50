import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT, install, need, run } from './install.ts';
import { freePort, type Server, startServer } from './server.ts';

const JARS = join(CHECKOUT, '.engines', 'kafka');
const REPOSITORY = join(CHECKOUT, '.engines', 'maven');
const POM = join(import.meta.dirname, 'kafka', 'pom.xml');
const JAVA = ['-XX:-UsePerfData', '-Xmx512m', '-cp', join(JARS, '*')];

/** Fetches Apache Kafka from Maven Central into `.engines`, unless it is there. */
export async function installKafka(): Promise<void> {
  await need('Kafka needs Java, 17 or later', 'java', ['--list-modules'], /java\.base@(1[7-9]|[2-9]\d)/);
  await install(JARS, POM, async () => {
    await need('Kafka is fetched by Maven', 'mvn', ['--version']);
    rmSync(JARS, { recursive: true, force: true });
    const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${JARS}`];
    await run('mvn', ['-q', '-B', '-f', POM, `-Dmaven.repo.local=${REPOSITORY}`, ...copy]);
  });
}

export interface Kafka extends Server {
  /** `host:port`. */
  readonly bootstrapServer: string;
}

/** Starts one broker that is its own controller, on free loopback ports and with an empty disk. `installKafka` comes first. */
export async function startKafka(): Promise<Kafka> {
  const [port, controllerPort] = [await freePort(), await freePort()];
  const directory = mkdtempSync(join(tmpdir(), 'effectively-once-kafka-'));
  const cleanUp = (): void => rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  try {
    const properties = join(directory, 'server.properties');
    writeFileSync(properties, propertiesOf({ port, controllerPort, directory }));
    const format = ['format', '--cluster-id', clusterId(), '--config', properties];
    await run('java', [...JAVA, 'kafka.tools.StorageTool', ...format]);
    const server = await startServer({
      name: 'Kafka',
      command: 'java',
      args: [...JAVA, 'kafka.Kafka', properties],
      cwd: directory,
      answers: () => accepts(port),
      readyWithinMs: 60_000,
      missing: 'Kafka needs Java, 17 or later: put `java` on the PATH.',
      cleanUp,
    });
    return { ...server, bootstrapServer: `127.0.0.1:${port}` };
  } catch (error) {
    cleanUp();
    throw error;
  }
}

function propertiesOf(own: {
  readonly port: number;
  readonly controllerPort: number;
  readonly directory: string;
}): string {
  const { port, controllerPort, directory } = own;
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'log.dirs': join(directory, 'log'),
    // One broker: nothing to replicate to.
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'auto.create.topics.enable': false,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** A UUID in the 22 characters that Kafka writes it in. */
function clusterId(): string {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.end());
  });
}
