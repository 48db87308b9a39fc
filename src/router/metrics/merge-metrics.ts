import { AggregatorRegistry } from 'prom-client';
import type { Metric } from './metric.ts';

export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** One or several router processes' metrics as Prometheus reads them; each metric says how its values are put together. */
export function mergeMetrics(processes: readonly (readonly Metric[])[]): Promise<string> {
  return AggregatorRegistry.aggregate([...processes] as object[]).metrics();
}
