import type { Attributes, AttributeValue, Link, Span, Tracer } from '@opentelemetry/api';
import type { IdempotencyEvent } from '../core/events.ts';
import { present } from '../core/present.ts';
import { perCall } from './calls.ts';
import { instrumentName, OWN } from './instruments.ts';
import type { MetricName } from './metrics.ts';
import { activeSpan, registered } from './registered.ts';
import { spanContextOf } from './trace-header.ts';

/** What the events of a call have told. */
interface Told {
  readonly counts: Partial<Record<MetricName, number>>;
  readonly links: Link[];
  first?: IdempotencyEvent;
  /** Of a call with one arrival it has the outcome. */
  last?: IdempotencyEvent;
}

type Settled = Extract<IdempotencyEvent, { type: 'settled' }>;

/** A listener that gives the active span the outcome of a call when it settles. If no span is active, `tracer` makes one. */
export function spansOf(tracer: Tracer | undefined): (event: IdempotencyEvent) => void {
  return perCall<Told>({
    begin: () => ({ counts: {}, links: [] }),
    add(told, event, counted) {
      for (const name of counted) told.counts[name] = (told.counts[name] ?? 0) + 1;
      if (ARRIVALS.has(event.type)) told.links.push(...linksOf(event));
      told.first ??= event;
      if (event.type !== 'extend-failed') told.last = event;
    },
    end(told, settled) {
      if (settled.type === 'settled') tell(told, settled, tracer); // the context of one that never did is not this one
    },
  });
}

const ARRIVALS: ReadonlySet<string> = new Set(['started', 'replayed', 'refused']);

function linksOf(event: IdempotencyEvent): Link[] {
  const context = event.trace === undefined ? undefined : spanContextOf(event.trace);
  if (!context) return [];
  return [{ context, attributes: 'id' in event ? { [RECORD]: event.id } : {} }];
}

function tell(told: Told, settled: Settled, tracer: Tracer | undefined): void {
  const isBatch = settled.records !== undefined;
  const attributes = { ...commonOf(settled), ...(isBatch ? batchOf(told, settled) : outcomeOf(told.last)) };
  const span = activeSpan();
  if (span) {
    replaceAttributes(span, attributes);
    if (isBatch) span.addLinks(told.links);
    return;
  }
  const tracing = tracer ?? registered().trace?.getTracer('effectively-once');
  const name = isBatch ? `process ${settled.scope}` : settled.scope;
  const { first = settled, links } = told;
  tracing
    ?.startSpan(name, { kind: isBatch ? CONSUMER : INTERNAL, startTime: first.at, links, attributes })
    .end(settled.at);
}

const lastOf = new WeakMap<Span, Attributes>();

/** What another call has left there is emptied: OpenTelemetry removes no attribute, and ignores one that is undefined. */
function replaceAttributes(span: Span, attributes: Attributes): void {
  const emptied = Object.entries(lastOf.get(span) ?? {}).map(([name, value]) => [name, EMPTY[typeof value]]);
  const all = { ...Object.fromEntries(emptied), ...present(attributes) };
  lastOf.set(span, all);
  span.setAttributes(all);
}

const EMPTY: Readonly<Record<string, AttributeValue>> = { string: '', number: 0, boolean: false };

/** Of `SpanKind`. */
const INTERNAL = 0;
const CONSUMER = 4;

const RECORD = `${OWN}.record.id`;

function commonOf({ scope, source }: Settled): Attributes {
  return { [`${OWN}.scope`]: scope, [`${OWN}.source`]: source };
}

/** A replay is told from a run by both of the first. */
function outcomeOf(event: IdempotencyEvent | undefined): Attributes {
  const { type, id, attempt, code, why }: Readonly<Record<string, any>> = { ...event };
  return {
    [`${OWN}.outcome`]: type,
    [`${OWN}.replayed`]: type === 'replayed' || type === 'adopted',
    [RECORD]: id,
    [`${OWN}.attempt`]: attempt,
    [`${OWN}.code`]: code,
    [`${OWN}.why`]: why,
  };
}

/** https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans: those of a batch, by their older name, too. */
function batchOf({ counts }: Told, { source, records }: Settled): Attributes {
  const [system, older] = SYSTEMS[source] ?? [];
  const counted = Object.entries(counts).map(([name, count]) => [instrumentName(name as MetricName), count]);
  return {
    ...Object.fromEntries(counted),
    'messaging.system.name': system,
    'messaging.system': older,
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.batch.message_count': records,
  };
}

/** By the source of the events. */
const SYSTEMS: Readonly<Record<string, readonly [name: string, older: string]>> = {
  sqs: ['aws.sqs', 'aws_sqs'],
  kinesis: ['aws.kinesis', 'aws_kinesis'],
  'dynamodb-stream': ['aws.dynamodb_streams', 'aws_dynamodb_streams'],
  kafka: ['kafka', 'kafka'],
};
