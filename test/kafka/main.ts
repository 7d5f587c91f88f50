import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startDynoxide } from '../../local/dynamodb.ts';
import { installKafka, startKafka } from '../../local/kafka.ts';
import type { Evidence } from './checks.ts';
import { type Consumers, consumersOf } from './consumers.ts';
import { type Plan, planOf } from './plan.ts';
import { report } from './report.ts';
import { type Saboteur, startSaboteur } from './saboteur.ts';
import { createTables } from './tables.ts';
import { createTopic, type Rewound, type Topic } from './topic.ts';

/** Of the run, its broker not included. */
const LONGEST_MS = 300_000;

const READ = { topic: 'trips', group: 'record-trips' };

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { seed: { type: 'string' } } });
  const seed = Number(values.seed ?? randomInt(1, 2 ** 31));
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed is ${values.seed}: give a whole number.`);
  const plan = planOf(seed);
  console.log(
    `Seed ${seed}: ${plan.events.length} events in ${plan.messages.length} messages, ${plan.kills.length} kills.`,
  );
  console.log('Starting a Kafka broker …');
  await installKafka();
  const kafka = await startKafka();
  const engine = await startDynoxide();
  try {
    const tables = await createTables(engine);
    const topic = await createTopic(kafka, READ);
    const settings = { ...READ, bootstrapServer: kafka.bootstrapServer, batchSize: 50, timeoutMs: 4_000 };
    const consumers: Consumers = consumersOf(settings, tables, {
      endpoint: () => saboteur.endpoint,
      isFatal: () => saboteur.isFatal(),
    });
    const ledger = tables.environment['LEDGER_TABLE'] ?? '';
    const saboteur = await startSaboteur({ plan, upstream: engine.endpoint, ledger, kill: consumers.kill });
    const started = Date.now();
    const { restarts, isConsumed } = await consumeAll({ plan, topic, consumers, saboteur }, started + LONGEST_MS);
    const { kills, throttled } = saboteur;
    const { deliveries, failures } = consumers;
    const state = await tables.read();
    const sent = (await topic.ends()).reduce((total, end) => total + end, 0);
    const evidence: Evidence = { plan, state, kills, restarts, deliveries, failures, throttled, sent, isConsumed };
    const { text, failed } = report(evidence, Math.round((Date.now() - started) / 1000));
    console.log(`\n${text}`);
    process.exitCode = failed > 0 ? 1 : 0;
    await Promise.all([saboteur.stop(), topic.close()]);
  } finally {
    await Promise.all([engine.stop(), kafka.stop()]);
  }
}

interface Run {
  readonly plan: Plan;
  readonly topic: Topic;
  readonly consumers: Consumers;
  readonly saboteur: Saboteur;
}

/** Sends all messages, and starts a consumer after each kill, at older offsets, until one has come to the end. */
async function consumeAll(run: Run, deadline: number): Promise<Pick<Evidence, 'restarts' | 'isConsumed'>> {
  const { plan, topic, consumers } = run;
  const restarts: Rewound[] = [];
  const sent = sendAll(topic, plan);
  sent.catch(() => {}); // it is awaited below
  for (;;) {
    consumers.start();
    const over = new AbortController();
    const isConsumed = await Promise.race([
      consumers.ended().then(() => false),
      untilConsumed(run, sent, deadline, over.signal),
    ]);
    over.abort();
    if (isConsumed || Date.now() > deadline) {
      consumers.kill();
      await consumers.ended();
      return { restarts, isConsumed };
    }
    restarts.push(await topic.rewind(plan.rewinds[restarts.length] ?? []));
  }
}

const CHUNK = 50;

/** The first half at once, so that there is a backlog, and the rest while it is consumed. */
async function sendAll(topic: Topic, { messages }: Plan): Promise<void> {
  for (let at = 0; at < messages.length; at += CHUNK) {
    await topic.send(messages.slice(at, at + CHUNK));
    if (at > messages.length / 2) await sleep(100);
  }
}

/** Whether the group came to the end of the topic, and every kill has happened, before the deadline. */
async function untilConsumed(
  { plan, topic, saboteur }: Run,
  sent: Promise<void>,
  deadline: number,
  over: AbortSignal,
): Promise<boolean> {
  await sent;
  while (Date.now() < deadline && !over.aborted) {
    const [ends, checkpoints] = await Promise.all([topic.ends(), topic.checkpoints()]);
    const isAtEnd = ends.every((end, partition) => checkpoints[partition] === end);
    if (isAtEnd && saboteur.kills.length === plan.kills.length) return true;
    await sleep(200);
  }
  return false;
}

await main().catch((error) => {
  console.error(error);
  console.log('\n      Tests  1 failed (1)');
  process.exit(1);
});
