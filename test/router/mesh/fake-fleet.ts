/**
 * A fake fleet: backends in memory behind the adapter interface. They load and answer as a test tells them, push their
 * state at once, and can fall silent, lose their link, or die.
 */
import type {
  Adapter,
  BackendEvents,
  BackendRecord,
  BackendSession,
  Capabilities,
  Exchange,
  InferCall,
  ReplyObserver,
} from '../../../src/adapters/adapter.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { toLinkError } from '../../../src/protocol/link/link-error.ts';
import type { BackendState, CopyDescription, CopyFacts, CopySpec } from '../../../src/protocol/link/messages.ts';
import type { ModelStatistics } from '../../../src/protocol/v2/statistics.ts';

/** One request that reached a backend. */
export interface FakeInfer {
  readonly call: InferCall;
  readonly backend: FakeBackend;
  /** The whole body, once it has come. */
  readonly body: string;
  isCancelled: boolean;
  reply(body?: string): void;
  /** Only the beginning of an answer. */
  begin(announcedBytes: number, piece: Uint8Array): void;
  fail(error: SkeinError): void;
}

const all: Capabilities = { load: true, unload: true, describe: true, statistics: true, bodies: ['v2'] };

export class FakeBackend {
  readonly id: string;
  readonly can: Capabilities;
  readonly copies = new Map<number, CopyFacts>();
  /** What was asked of it, in order. */
  readonly loads: CopySpec[] = [];
  readonly unloads: string[] = [];
  /** How many requests it was told are held, in order. */
  readonly helds: number[] = [];
  readonly infers: FakeInfer[] = [];
  connects = 0;
  /** Nobody listens where it should be. */
  isDown = false;
  budgetBytes = 1_000_000;
  isDraining = false;
  /** Awaited in every load; throws to fail it. */
  onLoad: (spec: CopySpec) => Promise<void> | void = () => {};
  onUnload: (copy: CopyFacts) => Promise<void> | void = () => {};
  /** Told of every request that is whole; answers it, or leaves it open. */
  onInfer: (infer: FakeInfer) => void = (infer) => infer.reply();
  onDescribe: () => Promise<void> | void = () => {};
  loadMs = 10;
  /** What it says of a load that it has begun. */
  readyInMs: number | undefined;
  residentBytes = 1_000;
  #nextCopy = 1;
  #session: FakeSession | undefined;

  constructor(id: string, can: Capabilities = all) {
    this.id = id;
    this.can = can;
  }

  get state(): BackendState {
    const usedBytes = this.copies.size * this.residentBytes;
    const figures = { evictionPrice: 0, loadsQueued: 0, evictions: 0 };
    return { budgetBytes: this.budgetBytes, usedBytes, ...figures, draining: this.isDraining, pid: 7 };
  }

  get isConnected(): boolean {
    return this.#session !== undefined;
  }

  /** Names of what is ready here. */
  get ready(): string[] {
    return [...this.copies.values()]
      .filter(({ phase }) => phase === 'ready')
      .map(({ model, stamp }) => `${model} ${stamp}`);
  }

  connect(events: BackendEvents, signal: AbortSignal): Promise<BackendSession> {
    this.connects += 1;
    if (this.isDown)
      return Promise.reject(new SkeinError('link_broken', { backend: this.id, reason: 'nobody listens' }));
    const session = new FakeSession(this, events);
    signal.addEventListener('abort', () => session.close('the router stops'), { once: true });
    this.#session = session;
    events.onState(this.state, [...this.copies.values()], []);
    return Promise.resolve(session);
  }

  /** Takes a copy into memory without having been asked. */
  addCopy(model: string, version = 1, stamp = ''): CopyFacts {
    const copy = this.#copyOf({ model, version, stamp }, 'ready');
    this.#push([copy], []);
    return copy;
  }

  /** Another router has it load a model, and routers hold so many requests until it is there. */
  beginCopy(model: string, stamp: string, held: number): void {
    this.#push([{ ...this.#copyOf({ model, version: 1, stamp }, 'loading'), held }], []);
  }

  /** As another router's load leaves it behind. */
  addFailedCopy(model: string, stamp: string, error: SkeinError): void {
    const copy = this.#copyOf({ model, version: 1, stamp }, 'failed');
    this.#push([{ ...copy, reason: toLinkError(error, undefined) }], []);
  }

  dropCopy(model: string): void {
    const gone = [...this.copies.values()].filter((copy) => copy.model === model).map(({ id }) => id);
    for (const id of gone) this.copies.delete(id);
    this.#push([], gone);
  }

  /** Without a word to the router: a request that comes for it finds it gone. */
  loseCopy(model: string): void {
    for (const copy of this.copies.values()) if (copy.model === model) this.copies.delete(copy.id);
  }

  offer(...models: string[]): void {
    this.#session?.events.onOffers?.(models);
  }

  stall(stalled: boolean): void {
    this.#session?.events.onStalled(stalled);
  }

  /** The process ends, its copies with it; it is back when `isDown` is false again. */
  die(): void {
    this.isDown = true;
    this.copies.clear();
    this.#session?.close('the process ended');
  }

  async load(spec: CopySpec): Promise<CopyFacts> {
    this.loads.push(spec);
    const same = [...this.copies.values()].find(
      ({ model, version, stamp }) => model === spec.model && version === spec.version && stamp === spec.stamp,
    );
    if (same !== undefined && same.phase === 'ready') return same;
    const session = this.#session;
    const { readyInMs } = this;
    const loading = { ...this.#copyOf(spec, 'loading'), ...(readyInMs !== undefined && { readyInMs }) };
    this.#push([loading], []);
    try {
      await this.onLoad(spec);
    } catch (fault) {
      this.copies.delete(loading.id);
      this.#push([], [loading.id]);
      throw fault;
    }
    if (this.#session !== session) throw new SkeinError('link_broken', { backend: this.id, reason: 'it ended' });
    const copy: CopyFacts = { ...loading, phase: 'ready' };
    this.copies.set(copy.id, copy);
    this.#push([copy], []);
    return copy;
  }

  async unload(copy: CopyFacts): Promise<void> {
    this.unloads.push(`${copy.model} ${copy.stamp}`);
    await this.onUnload(copy);
    if (this.copies.delete(copy.id)) this.#push([], [copy.id]);
  }

  ended(session: FakeSession): void {
    if (this.#session === session) this.#session = undefined;
  }

  #push(changed: CopyFacts[], gone: number[]): void {
    this.#session?.events.onState(this.state, changed, gone);
  }

  #copyOf(
    { model, version, stamp }: Pick<CopySpec, 'model' | 'version' | 'stamp'>,
    phase: CopyFacts['phase'],
  ): CopyFacts {
    const id = this.#nextCopy++;
    const figures = { residentBytes: this.residentBytes, peakBytes: 0, loadMs: this.loadMs };
    const load = { slots: 1, inFlight: 0, latencyUs: 100 };
    const copy: CopyFacts = { id, model, version, stamp, phase, ...figures, ...load };
    this.copies.set(id, copy);
    return copy;
  }
}

class FakeSession implements BackendSession {
  readonly events: BackendEvents;
  readonly #backend: FakeBackend;
  readonly #open = new Set<(error: SkeinError) => void>();
  #closed = false;

  constructor(backend: FakeBackend, events: BackendEvents) {
    this.#backend = backend;
    this.events = events;
  }

  get can(): Capabilities {
    return this.#backend.can;
  }

  infer(call: InferCall, observer: ReplyObserver): Exchange {
    if (this.#closed) throw new Error('a request to a session that is over');
    const pieces: Uint8Array[] = [];
    let isOver = false;
    const end = (tell: () => void) => {
      if (isOver) return;
      isOver = true;
      this.#open.delete(lose);
      call.body.detach();
      tell();
    };
    const lose = (error: SkeinError) => end(() => observer.onError(error));
    this.#open.add(lose);
    const infer: FakeInfer = {
      call,
      backend: this.#backend,
      get body() {
        return Buffer.concat(pieces).toString();
      },
      isCancelled: false,
      reply: (text = `${call.copy.model} ${call.copy.stamp} on ${this.#backend.id}`) => {
        const bytes = Buffer.from(text);
        if (!isOver)
          observer.onReply({ headerLength: undefined, bodyBytes: bytes.length, inFlight: 0, latencyUs: 100 });
        if (!isOver) observer.onPiece(bytes);
        end(() => observer.onEnd());
      },
      begin: (bodyBytes, piece) => {
        observer.onReply({ headerLength: undefined, bodyBytes, inFlight: 0, latencyUs: 100 });
        observer.onPiece(piece);
      },
      fail: lose,
    };
    const arrive = () => {
      if (isOver) return;
      this.#backend.infers.push(infer);
      // What a backend says comes in a later turn of the event loop.
      if (!this.#backend.copies.has(call.copy.id)) infer.fail(new SkeinError('copy_gone', { model: call.copy.model }));
      else this.#backend.onInfer(infer);
    };
    call.body.attach({
      onPiece: (piece, isLast) => {
        pieces.push(piece);
        if (isLast) setImmediate(arrive);
        return true;
      },
      onAborted: () => end(() => {}),
    });
    return {
      cancel: () => {
        infer.isCancelled = true;
        end(() => {});
      },
      pause: () => {},
      resume: () => {},
    };
  }

  load(copy: CopySpec): Promise<CopyFacts> {
    return this.#call(() => this.#backend.load(copy));
  }

  held(_copy: CopyFacts, requests: number): Promise<void> {
    this.#backend.helds.push(requests);
    return Promise.resolve();
  }

  unload(copy: CopyFacts): Promise<void> {
    return this.#call(() => this.#backend.unload(copy));
  }

  async describe({ model }: CopyFacts): Promise<CopyDescription> {
    await this.#backend.onDescribe();
    return { platform: 'fake', signature: { inputs: [], outputs: [] }, maxBatchSize: 0, config: { name: model } };
  }

  async statistics(): Promise<readonly ModelStatistics[]> {
    await this.#backend.onDescribe();
    return [];
  }

  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#backend.ended(this);
    this.events.onLost(reason);
    const error = new SkeinError('link_broken', { backend: this.#backend.id, reason });
    for (const lose of [...this.#open]) lose(error);
  }

  /** Fails with the link, whatever the backend does. */
  #call<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new SkeinError('link_broken', { backend: this.#backend.id, reason: 'the link is closed' }));
        return;
      }
      this.#open.add(reject);
      work()
        .then(resolve, reject)
        .finally(() => this.#open.delete(reject));
    });
  }
}

export class FakeAdapter implements Adapter {
  readonly kind: string;
  readonly backends = new Map<string, FakeBackend>();

  constructor(kind: string) {
    this.kind = kind;
  }

  add(id: string, can?: Capabilities): FakeBackend {
    const backend = new FakeBackend(id, can);
    this.backends.set(id, backend);
    return backend;
  }

  connect(target: BackendRecord, events: BackendEvents, signal: AbortSignal): Promise<BackendSession> {
    return this.backends.get(target.id)!.connect(events, signal);
  }
}
