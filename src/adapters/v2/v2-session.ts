import type { Pool } from 'undici';
import { SkeinError } from '../../protocol/errors.ts';
import type { CopyDescription, CopyFacts, CopySpec } from '../../protocol/link/messages.ts';
import type { ModelStatistics } from '../../protocol/v2/statistics.ts';
import type {
  BackendEvents,
  BackendRecord,
  BackendSession,
  Capabilities,
  Exchange,
  InferCall,
  ReplyObserver,
} from '../adapter.ts';
import { signOf } from './connection-fault.ts';
import { ControlClient } from './control-client.ts';
import { CopyLedger } from './copy-ledger.ts';
import type { Sign } from './health-policy.ts';
import { HealthWatch } from './health-watch.ts';
import { type ExchangeHost, InferExchange } from './infer-exchange.ts';
import { ModelLister } from './model-lister.ts';
import { ModelWatch } from './model-watch.ts';
import { RequestSlots } from './request-slots.ts';
import { ServerAddress } from './server-address.ts';
import { ServerCalls } from './server-calls.ts';
import { openPool } from './server-pool.ts';
import type { V2Options } from './v2-options.ts';

/** Eight calls, the four questions of a survey, a probe, and a few that are just being replaced. */
const controlConnections = 16;

/** One external server: what it has, whether it lives, and the requests that are under way at it. */
export class V2Session implements BackendSession {
  readonly #id: string;
  readonly #events: BackendEvents;
  readonly #options: V2Options;
  readonly #address: ServerAddress;
  readonly #inferPool: Pool;
  readonly #controlPool: Pool;
  readonly #client: ControlClient;
  readonly #calls: ServerCalls;
  readonly #lister: ModelLister;
  readonly #ledger: CopyLedger;
  readonly #models: ModelWatch;
  readonly #exchanges = new Set<InferExchange>();
  readonly #host: ExchangeHost;
  #watch: HealthWatch | undefined;
  #extensions: readonly string[] = [];
  #closed: string | undefined;

  constructor(target: BackendRecord, events: BackendEvents, options: V2Options) {
    const { id, address, models = [] } = target;
    this.#id = id;
    this.#events = events;
    this.#options = options;
    this.#address = new ServerAddress(id, address);
    const onBroken = () => this.#watch?.noteBroken();
    this.#inferPool = openPool(this.#address.origin, options.connections, options, onBroken);
    this.#controlPool = openPool(this.#address.origin, controlConnections, options, onBroken);
    this.#client = new ControlClient(id, this.#controlPool);
    this.#calls = new ServerCalls(id, this.#client, this.#address, options);
    this.#lister = new ModelLister(id, this.#client, this.#address, models, options.callTimeoutMs);
    this.#ledger = new CopyLedger(id, options.connections);
    this.#models = new ModelWatch(this.#lister, this.#ledger, events, options.listEveryMs);
    this.#host = {
      backend: id,
      dispatcher: this.#inferPool,
      slots: new RequestSlots(options.connections, options.waiting),
      options,
      onOver: (exchange, error) => this.#onOver(exchange, error),
      onAnswering: (exchange) => {
        this.#watch?.noteHeard();
        return this.#ledger.noteAnswer(exchange.call.copy.id, exchange.elapsedMs);
      },
    };
  }

  get can(): Capabilities {
    const load = this.#lister.canLoad;
    return { load, unload: load, describe: true, statistics: this.#extensions.includes('statistics'), bodies: ['v2'] };
  }

  /** Tells the first state before it resolves; rejects where nothing of the protocol is there. */
  async open(): Promise<void> {
    const sign = await this.#probe(this.#options.callTimeoutMs);
    if (sign.kind !== 'answered') throw this.#broken(this.#closed ?? sign.reason);
    this.#extensions = await this.#calls.extensions();
    await this.#lister.open();
    await this.#models.look();
    if (this.#closed !== undefined) throw this.#broken(this.#closed);
    this.#watch = new HealthWatch(this.#options.health, {
      probe: () => this.#probe(this.#options.probeTimeoutMs),
      onAnswered: () => this.#models.lookWhenDue(),
      onEjected: (reason) => this.#onEjected(reason),
      onReadmitted: () => void this.#onReadmitted(),
    });
  }

  infer(call: InferCall, observer: ReplyObserver): Exchange {
    const { copy, versionNamed } = call;
    const sighting = this.#ledger.sighting(copy.id);
    // A server without versions is asked for the number that the client gave: it alone can say what it makes of that.
    const version = versionNamed ? (sighting?.versionName ?? String(copy.version)) : undefined;
    const exchange = new InferExchange(call, `${this.#address.model(copy.model, version)}/infer`, observer, this.#host);
    const down = this.#closed ?? this.#watch?.ejection;
    const isForeign = call.dialect !== 'v2';
    if (isForeign || down !== undefined || sighting === undefined) {
      const { model } = copy;
      const gone = down === undefined ? new SkeinError('copy_gone', { model }) : this.#broken(down);
      const error = isForeign ? new SkeinError('dialect_unsupported', { backend: this.#id, model }) : gone;
      // Whoever asks has the exchange in hand before it ends.
      queueMicrotask(() => exchange.fail(error));
      return exchange;
    }
    this.#exchanges.add(exchange);
    this.#ledger.noteStart(copy.id);
    exchange.start();
    return exchange;
  }

  /** `copy.version` 0 leaves the version to the server; its files and their stamp are the server's business anyway. */
  async load(copy: CopySpec, signal?: AbortSignal): Promise<CopyFacts> {
    const startedAtMs = performance.now();
    await this.#change(() => this.#calls.load(copy.model, copy.configOverride, signal));
    const ready = this.#ledger.ofModel(copy.model).filter(({ phase }) => phase === 'ready');
    const found = copy.version === 0 ? ready[0] : ready.find(({ version }) => version === copy.version);
    if (found === undefined) {
      const reason = `backend '${this.#id}' says that it is loaded, but lists no such version as ready among its declared models`;
      throw new SkeinError('load_failed', { model: copy.model, version: copy.version, reason });
    }
    const loadMs = Math.round(performance.now() - startedAtMs);
    this.#ledger.noteLoad(found.id, loadMs);
    return { ...found, loadMs };
  }

  /** All versions of the copy's model go: the repository API knows no single ones. */
  unload(copy: CopyFacts): Promise<void> {
    return this.#change(() => this.#calls.unload(copy.model));
  }

  /** Only of a model with several versions one is named: some servers refuse any version in a path. */
  async describe(copy: CopyFacts): Promise<CopyDescription> {
    this.#mustLive();
    const isOneOfMany = this.#ledger.ofModel(copy.model).length > 1;
    return this.#calls.describe(copy.model, isOneOfMany ? this.#ledger.sighting(copy.id)?.versionName : undefined);
  }

  async statistics(model?: string): Promise<readonly ModelStatistics[]> {
    this.#mustLive();
    if (this.can.statistics) return this.#calls.statistics(model);
    throw this.#cannot('give statistics', 'the extensions that it names do not include them');
  }

  close(reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    // Whoever listens learns of the end before the requests that end with it.
    if (this.#watch !== undefined) this.#events.onLost(reason);
    for (const exchange of [...this.#exchanges]) exchange.fail(this.#broken(reason));
    this.#watch?.stop();
    this.#models.close();
    void this.#inferPool.destroy();
    void this.#controlPool.destroy();
  }

  /** Any answer below 500 is a sign of life: one model that failed to load makes all of Triton say 400 for ever. */
  async #probe(timeoutMs: number): Promise<Sign> {
    const path = `${this.#address.root}/health/ready`;
    try {
      const { status } = await this.#client.ask({ method: 'GET', path, timeoutMs });
      if (status < 500 && status !== 404) return { kind: 'answered' };
      const hint = status === 404 ? '; is this the address of an Open Inference server?' : '';
      return { kind: 'failed', reason: `GET ${path} was answered with HTTP status ${status}${hint}` };
    } catch (fault) {
      return signOf(SkeinError.from(fault));
    }
  }

  async #change(change: () => Promise<void>): Promise<void> {
    this.#mustLive();
    if (!this.#lister.canLoad) throw this.#cannot('load and unload models', 'it has no repository API, or forbids it');
    try {
      await change();
    } catch (fault) {
      if (SkeinError.from(fault).code === 'backend_cannot') {
        this.#lister.forgetLoading();
        await this.#models.look();
      }
      throw fault;
    }
    await this.#models.look();
  }

  #onEjected(reason: string): void {
    this.#events.onStalled(true, reason);
    for (const exchange of [...this.#exchanges]) if (!exchange.isSent) exchange.fail(this.#broken(reason));
  }

  /** The first look comes before the news: what came back may be another server with other models. */
  async #onReadmitted(): Promise<void> {
    this.#lister.forgetVersions();
    await this.#models.look().catch(() => {});
    if (this.#closed === undefined && this.#watch?.ejection === undefined) this.#events.onStalled(false);
  }

  #onOver(exchange: InferExchange, error: SkeinError | undefined): void {
    if (!this.#exchanges.delete(exchange)) return;
    this.#ledger.noteEnd(exchange.call.copy.id);
    switch (error?.code) {
      case 'foreign_missing':
      case 'foreign_unavailable': // the model may have been unloaded behind the router's back
        this.#models.expectChange();
        this.#watch?.noteBroken();
        return;
      case 'link_broken':
      case 'reply_cut':
        this.#watch?.noteBroken();
        return;
      default:
        return;
    }
  }

  /** An ejected server is not asked: it would take until the time-out to learn what is known. */
  #mustLive(): void {
    const down = this.#closed ?? this.#watch?.ejection;
    if (down !== undefined) throw this.#broken(down);
  }

  #broken(reason: string): SkeinError {
    return new SkeinError('link_broken', { backend: this.#id, reason });
  }

  #cannot(verb: string, reason: string): SkeinError {
    return new SkeinError('backend_cannot', { backend: this.#id, verb, reason });
  }
}
