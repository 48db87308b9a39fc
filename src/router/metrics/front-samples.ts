import { durationBounds } from './duration-histogram.ts';
import { failureReasons } from './failure-reason.ts';
import type { FrontMetrics } from './front-metrics.ts';
import { counter, gauge, histogramSamples, type Metric, type Sample, single } from './metric.ts';

const durationName = 'skein_request_duration_seconds';

/** What the servers of this process counted. */
export function frontSamples(front: FrontMetrics): Metric[] {
  return [
    {
      name: durationName,
      help: 'Time from the head of an inference to its answer, successful or not, in seconds',
      type: 'histogram',
      aggregator: 'sum',
      values: [...front.models].flatMap(
        ([
          model,
          {
            durations: { counts, sum },
          },
        ]) => histogramSamples(durationName, { model }, { bounds: durationBounds, counts, sum }),
      ),
    },
    counter(
      'nv_inference_request_failure',
      'Number of failed inference requests as their clients saw them, of all versions',
      [...front.models].flatMap(([model, { failures }]) =>
        failureReasons.map((reason) => ({ labels: { model, reason }, value: failures[reason] })),
      ),
    ),
    counter('skein_request_errors_total', 'Inferences answered with an error, by its code', byCode(front.errors)),
    counter(
      'skein_http_refusals_total',
      'Requests and connections turned away before a model was looked for, by the code of the error',
      byCode(front.refusals),
    ),
    gauge('skein_http_connections', 'Open connections of clients', single(front.connections)),
  ];
}

function byCode(counts: ReadonlyMap<string, number>): Sample[] {
  return [...counts].map(([code, value]) => ({ labels: { code }, value }));
}
