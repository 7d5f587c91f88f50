import type { SpanContext } from '@opentelemetry/api';

/** The span that a header names: X-Ray's (`AWSTraceHeader`), or `traceparent` of W3C. Undefined: it names none, or not as it must. */
export function spanContextOf(header: string): SpanContext | undefined {
  const read = header.includes('=') ? xray(header) : traceparent(header);
  if (!read || /^0+$/.test(read.traceId) || /^0+$/.test(read.spanId)) return undefined;
  return { ...read, isRemote: true };
}

/** https://www.w3.org/TR/trace-context/#traceparent-header. Later versions may say more behind a dash. */
function traceparent(header: string): SpanContext | undefined {
  const match = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/.exec(header);
  if (!match) return undefined;
  const [, version = '', traceId = '', spanId = '', flags = '', more] = match;
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1 };
}

/** https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
function xray(header: string): SpanContext | undefined {
  const fields = header.split(';').map((field) => field.trim().split('=', 2) as [string, string?]);
  const named = Object.fromEntries(fields);
  const { Root = '', Parent = '', Sampled = '0' } = named;
  const [, time, random] = /^1-([\da-f]{8})-([\da-f]{24})$/.exec(Root) ?? [];
  const isTwice = Object.keys(named).length < fields.length;
  if (!time || !random || isTwice || !/^[\da-f]{16}$/.test(Parent) || !/^[01?]$/.test(Sampled)) return undefined;
  return { traceId: `${time}${random}`, spanId: Parent, traceFlags: Sampled === '1' ? 1 : 0 };
}
