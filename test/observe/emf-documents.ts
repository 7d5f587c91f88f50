import { expect } from 'vitest';

/** A document in CloudWatch's embedded metric format, as far as tests read it. */
export interface EmfDocument {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [member: string]: any;
}

/** Reads a line as CloudWatch does, and expects it to be as its specification and the limits of `PutMetricData` ask. */
export function emfDocument(line: string): EmfDocument {
  expect(Buffer.byteLength(line)).toBeLessThan(256 * 1_024);
  expect(line).not.toContain('\n');
  const document: EmfDocument = JSON.parse(line);
  const { Timestamp, CloudWatchMetrics } = document._aws;
  expect(Number.isInteger(Timestamp) && Math.abs(Timestamp - Date.now()) < 24 * 3_600_000).toBe(true);
  for (const { Namespace, Dimensions, Metrics } of CloudWatchMetrics) {
    expect(Namespace).toMatch(/^[^:].{0,254}$/);
    expect(Metrics.length).toBeGreaterThan(0);
    expect(Metrics.length).toBeLessThanOrEqual(100);
    for (const set of Dimensions) {
      expect(set.length).toBeLessThanOrEqual(30);
      for (const name of set) expect(document[name]).toMatch(/^(?=.*\S)[\x20-\x7e]{1,1024}$/);
    }
    for (const { Name, Unit } of Metrics) {
      expect(['Count', 'Milliseconds']).toContain(Unit);
      const values = [document[Name]].flat();
      expect(values.length).toBeLessThanOrEqual(100);
      for (const value of values) expect(Number.isFinite(value)).toBe(true);
    }
  }
  return document;
}

/** The values of a document's metrics. */
export function metricsIn(document: EmfDocument): Record<string, number | readonly number[]> {
  const names = document._aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name));
  return Object.fromEntries(names.map((name) => [name, document[name]]));
}
