/** One metric of one process in prom-client's JSON, which travels between processes as it is. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** How the values of several router processes become one; by name and labels. */
  readonly aggregator: Aggregator;
  readonly values: readonly Sample[];
}

/**
 * `sum`: of what each process has of its own. `max`: of totals that all of them see, some a moment later than others.
 * `first`: of gauges that all of them see.
 */
type Aggregator = 'sum' | 'max' | 'first';

export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Only of histograms, whose samples have names of their own. */
  readonly metricName?: string;
}

export function counter(name: string, help: string, values: readonly Sample[], aggregator: Aggregator = 'sum'): Metric {
  return { name, help, type: 'counter', aggregator, values };
}

export function gauge(name: string, help: string, values: readonly Sample[], aggregator: Aggregator = 'sum'): Metric {
  return { name, help, type: 'gauge', aggregator, values };
}

/** The only sample of a metric without labels. */
export function single(value: number): readonly Sample[] {
  return [{ labels: {}, value }];
}

/** Observations by upper bound, as Prometheus wants them: each bucket counts all below its bound. */
interface Buckets {
  readonly bounds: readonly number[];
  /** One more than bounds: the last is beyond them. Not cumulative. */
  readonly counts: readonly number[];
  readonly sum: number;
}

export function histogramSamples(name: string, labels: Sample['labels'], { bounds, counts, sum }: Buckets): Sample[] {
  const samples: Sample[] = [];
  let below = 0;
  for (let i = 0; i < counts.length; i++) {
    below += counts[i]!;
    samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le: bounds[i] ?? '+Inf' }, value: below });
  }
  samples.push({ metricName: `${name}_sum`, labels, value: sum });
  samples.push({ metricName: `${name}_count`, labels, value: below });
  return samples;
}
