import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { BackendRecord } from '../adapters/adapter.ts';
import type { Settings } from '../config/settings.ts';
import { mergeMetrics } from '../router/metrics/merge-metrics.ts';
import { type MetricsServer, serveMetrics } from '../router/metrics/metrics-server.ts';
import type { ProcessDesk } from './process-desk.ts';
import { buildRouter, pinnedModels, type RouterCore } from './router-core.ts';
import { newsSoFar, type RouterNews, takeCall } from './router-news.ts';
import { urlHost } from './url-host.ts';
import { WorkerLine } from './worker-line.ts';

/** How long the first backends may take before the router says that it serves: requests are held meanwhile, anyway. */
const backendsWithinMs = 10_000;

const restartDelayMs = 500;

/** The router of `skein serve`: this process, and as many more as the settings want, which share its port. */
export class RouterProcess {
  readonly #settings: Settings;
  readonly #desk: ProcessDesk;
  readonly #log: Logger;
  readonly #workers = new Map<number, WorkerLine>();
  #core: RouterCore | undefined;
  #metricsServer: MetricsServer | undefined;
  #records: readonly BackendRecord[] = [];
  #isStopping = false;

  constructor(settings: Settings, desk: ProcessDesk, log: Logger) {
    this.#settings = settings;
    this.#desk = desk;
    this.#log = log;
  }

  get urls(): { http: string; grpc: string; metrics: string } {
    const at = (port: number) => `http://${urlHost(this.#settings.host)}:${port}`;
    const { server, grpcServer } = this.#core!;
    return { http: at(server.port), grpc: at(grpcServer.port), metrics: at(this.#metricsServer!.port) };
  }

  async start(records: readonly BackendRecord[]): Promise<void> {
    this.#records = records;
    const { host, httpPort, grpcPort, metricsPort, routerWorkers, preload } = this.#settings;
    const core = await buildRouter(this.#settings, 'router-1', {
      processes: this.#desk,
      log: this.#log,
      records,
      party: { leader: undefined, tell: (news) => this.#tell(news) },
    });
    this.#core = core;
    const reusePort = routerWorkers > 1;
    await core.server.listen({ port: httpPort, host, reusePort });
    await core.grpcServer.listen({ port: grpcPort, host, reusePort });
    this.#metricsServer = await serveMetrics({ port: metricsPort, host }, () => this.#collect());
    for (let number = 2; number <= routerWorkers; number++) this.#startWorker(number);
    await this.#untilBackends(core, records.filter(({ onDemand }) => onDemand !== true).length);
    if (preload === 'all') await core.mesh.preload(core.mesh.models().map(({ name }) => name));
    if (preload === 'pinned') await core.mesh.preload(pinnedModels(this.#settings));
  }

  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    await Promise.all([
      this.#core?.stop(graceMs),
      ...[...this.#workers.values()].map((worker) => worker.stop(graceMs)),
    ]);
    await this.#metricsServer?.close();
  }

  async #untilBackends({ mesh }: RouterCore, count: number): Promise<void> {
    const untilMs = performance.now() + backendsWithinMs;
    while (performance.now() < untilMs) {
      if (mesh.report().backends.filter(({ state }) => state === 'up').length >= count) return;
      await delay(5);
    }
    this.#log.warn({ withinMs: backendsWithinMs }, 'not all backends are up yet; requests are held until they are');
  }

  #startWorker(number: number): void {
    const source = fileURLToPath(new URL('./router-worker.ts', import.meta.url));
    const child: ChildProcess = fork(existsSync(source) ? source : source.replace(/\.ts$/, '.js'), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // Files of load calls are bytes, and what is known of models has maps.
      serialization: 'advanced',
    });
    const core = this.#core!;
    const worker = new WorkerLine(child, this.#desk, (call) => takeCall(core, call));
    this.#workers.set(number, worker);
    child.once('exit', (code, signal) => {
      this.#workers.delete(number);
      if (this.#isStopping) return;
      this.#log.warn({ worker: number, code, signal }, 'router worker ended, starting it again');
      setTimeout(() => this.#isStopping || this.#startWorker(number), restartDelayMs);
    });
    const { server, grpcServer } = core;
    const settings = { ...this.#settings, httpPort: server.port, grpcPort: grpcServer.port };
    child.send({ kind: 'start', id: `router-${number}`, settings, records: this.#records, news: newsSoFar(core) });
  }

  async #tell(news: RouterNews): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.tell(news)));
  }

  async #collect(): Promise<string> {
    const others = await Promise.all([...this.#workers.values()].map((worker) => worker.collect()));
    return mergeMetrics([await this.#core!.metrics.collectRouterMetrics(), ...others]);
  }
}
