import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Mesh } from '../mesh/mesh-port.ts';
import { fleetSamples, modelSamples } from './fleet-samples.ts';
import { FrontMetrics } from './front-metrics.ts';
import { frontSamples } from './front-samples.ts';
import { InferenceSamples } from './inference-samples.ts';
import { counter, type Metric, single } from './metric.ts';
import { ModelLabels } from './model-labels.ts';

/** How long backends may take to tell their statistics; then the totals of the last time are shown. */
const statisticsTimeoutMs = 2_000;

/** All metrics of one router process. */
export class RouterMetrics {
  readonly front: FrontMetrics;
  readonly #mesh: Pick<Mesh, 'statistics' | 'report' | 'models'>;
  readonly #labels: ModelLabels;
  readonly #inferences: InferenceSamples;
  readonly #process = new Registry();
  #statisticsFailures = 0;

  /** At most `maxModels` models have time series of their own. */
  constructor(mesh: Pick<Mesh, 'statistics' | 'report' | 'models'>, maxModels: number) {
    this.#mesh = mesh;
    this.#labels = new ModelLabels(maxModels);
    this.#inferences = new InferenceSamples(this.#labels);
    this.front = new FrontMetrics(this.#labels);
    collectDefaultMetrics({ register: this.#process });
  }

  /** What is true now, in a form that can be sent to another process; see mergeMetrics. Never rejects. */
  async collectRouterMetrics(): Promise<Metric[]> {
    const models = this.#mesh.models();
    this.#forgetGone(new Set(models.map(({ name }) => name)));
    await this.#lookAtStatistics();
    return [
      ...this.#inferences.samples(),
      ...modelSamples(models, this.#labels),
      ...frontSamples(this.front),
      ...fleetSamples(this.#mesh.report()),
      counter(
        'skein_scrape_failures_total',
        'Scrapes in which the statistics of the backends could not be had in time',
        single(this.#statisticsFailures),
      ),
      ...((await this.#process.getMetricsAsJSON()) as unknown as Metric[]),
    ];
  }

  #forgetGone(known: ReadonlySet<string>): void {
    for (const model of this.#labels.retain(known)) {
      this.front.forget(model);
      this.#inferences.forget(model);
    }
  }

  async #lookAtStatistics(): Promise<void> {
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), statisticsTimeoutMs);
    const asked = this.#mesh.statistics(undefined, undefined).catch(() => undefined);
    const statistics = await Promise.race([asked, late.promise]);
    clearTimeout(timer);
    if (statistics === undefined) this.#statisticsFailures++;
    else this.#inferences.observe(statistics);
  }
}
