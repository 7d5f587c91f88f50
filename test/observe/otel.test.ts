import { context, metrics, type Span, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { idempotent, idempotentBatch, memoryStore, runOnce } from 'effectively-once';
import { otel } from 'effectively-once/observe';
import { faulty } from 'effectively-once/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { publish } from '../../src/core/events.ts';
import { recordId } from '../../src/core/identity.ts';
import { kinesis } from '../batches.ts';
import { httpEvent } from '../events.ts';
import { lambdaContext, sqsRecord } from '../ways.ts';

const exporter = new InMemorySpanExporter();
const tracing = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const metricExporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 });
const metering = new MeterProvider({ readers: [reader] });

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(tracing);
  metrics.setGlobalMeterProvider(metering);
});
afterAll(async () => {
  await metering.shutdown();
  context.disable();
  trace.disable();
  metrics.disable();
});

let stop: () => void;
beforeEach(() => {
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  vi.spyOn(console, 'error').mockImplementation(() => {});
  stop = otel();
});
afterEach(() => {
  stop();
  exporter.reset();
  vi.restoreAllMocks();
});

/** What an invocation's span says, that of the instrumentation, when `call` has settled in it. */
const spanOf = async (call: () => Promise<unknown>) => {
  await trace.getTracer('lambda').startActiveSpan('invocation', async (span: Span) => {
    await call().catch(() => {});
    span.end();
  });
  const [span, ...others] = exporter.getFinishedSpans().filter(({ name }) => name === 'invocation');
  expect(others).toEqual([]);
  exporter.reset();
  if (!span) throw new Error('no span');
  return span;
};
const attributesOf = async (call: () => Promise<unknown>) => (await spanOf(call)).attributes;

describe('the active span', () => {
  const handlerOf = (handler: (key: string) => unknown, store = memoryStore()) =>
    idempotent(async (key: string) => handler(key), { store, scope: 's', key: (key) => key });

  it('tells a replay from a run, and names the record', async () => {
    const handler = handlerOf(() => 1);
    const call = () => handler('k', lambdaContext());
    const common = {
      'effectively_once.scope': 's',
      'effectively_once.source': 'plain',
      'effectively_once.record.id': recordId('s', [], undefined, 'k'),
      'effectively_once.attempt': 1,
    };
    const [first, second] = [await attributesOf(call), await attributesOf(call)];
    expect(first).toEqual({ ...common, 'effectively_once.outcome': 'completed', 'effectively_once.replayed': false });
    expect(second).toEqual({ ...common, 'effectively_once.outcome': 'replayed', 'effectively_once.replayed': true });
  });

  it('tells why an arrival was refused, and why the end of a run is not sure', async () => {
    const refused = await attributesOf(() => handlerOf(() => 1)('', lambdaContext()));
    expect(refused).toMatchObject({ 'effectively_once.outcome': 'refused', 'effectively_once.code': 'KEY_MISSING' });
    const store = faulty(memoryStore());
    store.next('update', 'refuse');
    const unsure = await attributesOf(() => handlerOf(() => 1, store)('k', lambdaContext()));
    expect(unsure).toMatchObject({ 'effectively_once.outcome': 'unsure', 'effectively_once.why': 'completion' });
  });

  it('has no key, payload or value, and of a call that runs unprotected nothing at all', async () => {
    const options = { store: memoryStore(), scope: 's', key: 'secret-k', payload: 'secret-p', lease: '1s' } as const;
    const protectedOne = await attributesOf(() => runOnce(options, () => 'secret-v'));
    expect(protectedOne).toMatchObject({ 'effectively_once.outcome': 'completed' });
    expect(JSON.stringify(protectedOne)).not.toContain('secret');
    const unprotected = { ...options, key: undefined, onMissingKey: 'run' } as const;
    expect(await attributesOf(() => runOnce(unprotected, () => 1))).toEqual({});
  });
});

describe('the active span of several calls', () => {
  const store = memoryStore();
  const once = (key: string, payload: unknown = 1) =>
    runOnce({ store, scope: 's', key, payload, lease: '1s' }, () => 1).catch(() => {});
  const told = (attributes: object) =>
    Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name.replace('effectively_once.', ''), value]),
    );

  it('tells of the last one, and what others left there is emptied', async () => {
    const attributes = await attributesOf(async () => {
      await once('a');
      await once('a', 'another payload');
      await once('b');
    });
    const id = recordId('s', [], undefined, 'b');
    const last = { scope: 's', source: 'run-once', outcome: 'completed', replayed: false, 'record.id': id, attempt: 1 };
    expect(told(attributes)).toEqual({ ...last, code: '' });
  });

  it('tells of a refusal without the record of another call', async () => {
    const attributes = await attributesOf(async () => {
      await once('a');
      await once('');
    });
    const last = { scope: 's', source: 'run-once', outcome: 'refused', replayed: false, code: 'KEY_MISSING' };
    expect(told(attributes)).toEqual({ ...last, 'record.id': '', attempt: 0 });
  });

  it('tells of a batch without the outcome of a call in it', async () => {
    const attributes = await attributesOf(() =>
      idempotentBatch(() => once('a'), { store: memoryStore(), scope: 'batch' })(
        { Records: [sqsRecord('1')] },
        lambdaContext(),
      ),
    );
    expect(told(attributes)).toMatchObject({ scope: 'batch', runs: 1, outcome: '', replayed: false, 'record.id': '' });
  });
});

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN_ID = '00f067aa0ba902b7';
const XRAY = `Root=1-${TRACE_ID.slice(0, 8)}-${TRACE_ID.slice(8)};Parent=${SPAN_ID};Sampled=1`;
const W3C = `00-${TRACE_ID}-${SPAN_ID}-01`;
const LINKED = { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1, isRemote: true };

const traced = (body: string, { xray, traceparent }: { xray?: string; traceparent?: string }) => {
  const record = sqsRecord(body);
  if (xray !== undefined) record.attributes.AWSTraceHeader = xray;
  if (traceparent !== undefined) {
    record.messageAttributes['traceparent'] = { stringValue: traceparent, dataType: 'String' };
  }
  return record;
};

const batch = (Records: ReturnType<typeof traced>[]) =>
  idempotentBatch(async () => 1, { store: memoryStore(), scope: 's', key: ({ body }) => body })(
    { Records },
    lambdaContext(),
  );

describe('the active span of a batch', () => {
  it('has counts, the attributes of messaging, and one link for each message', async () => {
    const { attributes, links } = await spanOf(() =>
      batch([
        traced('a', { xray: XRAY }),
        traced('b', { traceparent: W3C }),
        traced('a', { traceparent: W3C }),
        traced('c', {}),
      ]),
    );
    expect(attributes).toEqual({
      'effectively_once.scope': 's',
      'effectively_once.source': 'sqs',
      'effectively_once.runs': 3,
      'effectively_once.replays': 1,
      'effectively_once.duplicates_stopped': 1,
      'messaging.system.name': 'aws.sqs',
      'messaging.system': 'aws_sqs',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.batch.message_count': 4,
    });
    expect(links.map(({ context }) => context)).toEqual([LINKED, LINKED, LINKED]);
    const ids = links.map(({ attributes }) => attributes?.['effectively_once.record.id']);
    const id = (key: string) => recordId('s', [], undefined, key);
    expect(ids.sort()).toEqual([id('a'), id('a'), id('b')].sort());
  });

  it('knows streams', async () => {
    const { attributes } = await spanOf(async () =>
      idempotentBatch(async () => 1, { store: memoryStore(), scope: 's' })(
        kinesis.event([kinesis.record({ at: 1, value: 1 })]) as never,
        lambdaContext(),
      ),
    );
    expect(attributes).toMatchObject({ 'messaging.system.name': 'aws.kinesis', 'messaging.batch.message_count': 1 });
  });

  it.each([
    'Root=1-4bf92f35-77b34da6a3ce929d0e0e4736',
    `Root=1-4bf92f35-77b34da6a3ce929d0e0e473;Parent=${SPAN_ID};Sampled=1`,
    `Root=2-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=${SPAN_ID};Sampled=1`,
    `Root=1-4BF92F35-77b34da6a3ce929d0e0e4736;Parent=${SPAN_ID};Sampled=1`,
    `Root=1-00000000-000000000000000000000000;Parent=${SPAN_ID};Sampled=1`,
    'Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=0000000000000000;Sampled=1',
    'Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=2',
    `${XRAY};Parent=00f067aa0ba902b8`,
    `Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=${SPAN_ID};Parent=${SPAN_ID}`,
    `x${XRAY}`,
    'Root',
    '=',
    `00-${TRACE_ID}-${SPAN_ID}-01-more`,
    `ff-${TRACE_ID}-${SPAN_ID}-01`,
    `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${SPAN_ID}`,
    `00-${'0'.repeat(32)}-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${'0'.repeat(16)}-01`,
    ` ${W3C}`,
    `${W3C}\n`,
    '',
  ])('has no link to %j, and the batch goes on', async (header) => {
    const { links, attributes } = await spanOf(() => batch([traced('a', { traceparent: header })]));
    expect(links).toEqual([]);
    expect(attributes).toMatchObject({ 'effectively_once.runs': 1 });
  });

  it.each([
    [`00-${TRACE_ID}-${SPAN_ID}-00`, 0],
    [`00-${TRACE_ID}-${SPAN_ID}-03`, 1],
    [`01-${TRACE_ID}-${SPAN_ID}-01-what-comes-later`, 1],
    [`Parent=${SPAN_ID}; Root=1-4bf92f35-77b34da6a3ce929d0e0e4736; Lineage=a:0`, 0],
    [`Self=1-0-0;Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=${SPAN_ID};Sampled=?`, 0],
  ])('has a link to %s, with its sampling', async (header, traceFlags) => {
    const { links } = await spanOf(() => batch([traced('a', { traceparent: header })]));
    expect(links.map(({ context }) => context)).toEqual([{ ...LINKED, traceFlags }]);
  });
});

describe('the active span of one event', () => {
  it('has no link: the instrumentation of its source has made it a child of the trace already', async () => {
    const handler = idempotent(async () => ({ statusCode: 200 }), { store: memoryStore(), scope: 's' });
    const event = httpEvent({ key: 'k', event: { headers: { 'idempotency-key': 'k', traceparent: W3C } } });
    expect(await spanOf(() => handler(event, lambdaContext()))).toMatchObject({
      links: [],
      attributes: { 'effectively_once.outcome': 'completed' },
    });
  });

  it('has the end of the run for its outcome, whatever is told of its lease afterwards', async () => {
    const about = { scope: 's', source: 'plain', requestId: 'r', id: 's#1', attempt: 1 };
    const attributes = await attributesOf(async () => {
      publish(about, { type: 'started', from: 'new' });
      publish(about, { type: 'unsure', why: 'step', durationMs: 1 });
      publish(about, { type: 'extend-failed', error: new Error('away') });
      publish({ scope: 's', source: 'plain', requestId: 'r' }, { type: 'settled' });
    });
    expect(attributes).toMatchObject({ 'effectively_once.outcome': 'unsure', 'effectively_once.why': 'step' });
  });
});

describe('without an active span', () => {
  it('the one that is made begins with the first event of the call, and ends with the last', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
    const about = { scope: 's', source: 'plain', requestId: 'r' };
    publish({ ...about, id: 's#1', attempt: 1 }, { type: 'started', from: 'new' });
    vi.setSystemTime(1_800_000_000_250);
    publish(
      { ...about, id: 's#1', attempt: 1 },
      { type: 'completed', by: 'complete', outcome: 'value', durationMs: 250 },
    );
    vi.setSystemTime(1_800_000_000_500);
    publish(about, { type: 'settled' });
    vi.useRealTimers();
    expect(exporter.getFinishedSpans()).toMatchObject([
      { startTime: [1_800_000_000, 0], endTime: [1_800_000_000, 500_000_000] },
    ]);
  });

  it('a span is made for a batch, from its first event to its last', async () => {
    await batch([traced('a', { xray: XRAY }), traced('b', {})]);
    const [span, ...others] = exporter.getFinishedSpans();
    expect(others).toEqual([]);
    expect(span).toMatchObject({ name: 'process s', kind: SpanKind.CONSUMER, links: [{ context: LINKED }] });
    expect(span?.attributes).toMatchObject({ 'messaging.batch.message_count': 2, 'effectively_once.runs': 2 });
  });

  it('a span is made by the tracer that is given', async () => {
    stop();
    const mine = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(mine)] });
    stop = otel({ tracer: provider.getTracer('mine') });
    await runOnce({ store: memoryStore(), scope: 's', key: 'k', lease: '1s' }, () => 1);
    expect(exporter.getFinishedSpans()).toEqual([]);
    expect(mine.getFinishedSpans()).toMatchObject([
      { name: 's', kind: SpanKind.INTERNAL, attributes: { 'effectively_once.outcome': 'completed' } },
    ]);
  });

  it('none is made for a call that never settled', () => {
    const about = { source: 'plain', requestId: 'r1' };
    vi.useFakeTimers({ toFake: ['Date'] });
    publish({ ...about, scope: 'hung', id: 'hung#1', attempt: 1 }, { type: 'started', from: 'new' });
    vi.setSystemTime(Date.now() + 900_000);
    publish({ ...about, scope: 's', id: 's#1', attempt: 1 }, { type: 'replayed' });
    publish({ ...about, scope: 's' }, { type: 'settled' });
    vi.useRealTimers();
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['s']);
  });
});

describe('metrics', () => {
  const measured = async () => {
    await metering.forceFlush();
    const [{ scopeMetrics = [] } = {}] = metricExporter.getMetrics().slice(-1);
    metricExporter.reset();
    const all = scopeMetrics.flatMap(({ metrics }) => metrics);
    return Object.fromEntries(
      all.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.map(({ attributes, value }) => ({ attributes, count: (value as any).count ?? value })),
      ]),
    );
  };
  const attributes = { 'effectively_once.scope': 's', 'effectively_once.source': 'run-once' };

  it('count runs, replays and refusals by scope, source and code, and measure runs', async () => {
    await measured();
    const store = memoryStore();
    const call = (key: string) => runOnce({ store, scope: 's', key, lease: '1s' }, () => 1).catch(() => {});
    for (const key of ['a', 'b', 'a', '', '']) await call(key);
    expect(await measured()).toEqual({
      'effectively_once.runs': [{ attributes, count: 2 }],
      'effectively_once.run_duration': [{ attributes, count: 2 }],
      'effectively_once.replays': [{ attributes, count: 1 }],
      'effectively_once.duplicates_stopped': [{ attributes, count: 1 }],
      'effectively_once.refusals': [
        { attributes: { ...attributes, 'effectively_once.code': 'KEY_MISSING' }, count: 2 },
      ],
    });
  });

  it('are made by the meter that is given', async () => {
    await measured();
    stop();
    stop = otel({ meter: new MeterProvider().getMeter('mine') });
    await runOnce({ store: memoryStore(), scope: 's', key: 'k', lease: '1s' }, () => 1);
    expect(await measured()).toEqual({});
  });
});

describe('otel', () => {
  it('is quiet where nothing is registered', async () => {
    context.disable();
    trace.disable();
    metrics.disable();
    Reflect.deleteProperty(globalThis, Symbol.for('opentelemetry.js.api.1')); // as where nobody has loaded it
    stop();
    stop = otel();
    await batch([traced('a', { xray: XRAY })]);
    expect(process.emitWarning).not.toHaveBeenCalled();
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(tracing);
    metrics.setGlobalMeterProvider(metering);
    expect(await attributesOf(() => batch([traced('a', {})]))).toMatchObject({ 'effectively_once.runs': 1 });
  });

  it('ends when it is told to', async () => {
    stop();
    expect(await attributesOf(() => batch([traced('a', { xray: XRAY })]))).toEqual({});
  });

  it('measures and traces each for itself: what fails in one is a warning, and does not end the other', async () => {
    stop();
    const down = (): never => {
      throw new Error('down');
    };
    const options = { store: memoryStore(), scope: 's', key: 'k', lease: '1s' } as const;
    stop = otel({ meter: { createCounter: down, createHistogram: down } as any });
    expect(await attributesOf(() => runOnce(options, () => 1))).toMatchObject({
      'effectively_once.outcome': 'completed',
    });
    expect(process.emitWarning).toHaveBeenCalledWith('a listener threw Error: down', 'IdempotencyWarning');
    stop();
    expect(await attributesOf(() => runOnce(options, () => 1))).toEqual({});
  });

  it.each([[{ meter: {} }], [{ tracer: {} }], [{ exporter }]])('takes no options such as %o', (bad) => {
    expect(() => otel(bad as never)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
