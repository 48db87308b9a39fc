import { normal, seededRandom } from './seeded-random.ts';
import type { SimBackend } from './sim-backend.ts';

/** Why a copy is loaded: a request waits, the load calls for a further one, it comes from elsewhere. */
export type LoadCause = 'request' | 'scale' | 'move';

/** One copy in one node, and when routers can know of it. Times not reached yet are Infinity. */
export class SimCopy {
  readonly model: SimModel;
  readonly backend: SimBackend;
  readonly cause: LoadCause;
  state: 'queued' | 'loading' | 'ready' | 'gone' = 'queued';
  /** It may displace what others hold. */
  readonly wanted: boolean;
  readonly waiting: ((isReady: boolean) => void)[] = [];
  /** States that told of each phase left the node then. */
  comingToldMs = Infinity;
  readyToldMs = Infinity;
  goneToldMs = Infinity;
  readySinceMs = Infinity;
  giveUpAtMs = Infinity;
  inFlight = 0;
  latencyMs = 0;
  /** What its load took. */
  tookMs = 0;
  wasUsed = false;

  constructor(model: SimModel, backend: SimBackend, cause: LoadCause, wanted: boolean) {
    this.model = model;
    this.backend = backend;
    this.cause = cause;
    this.wanted = wanted;
  }
}

export class SimModel {
  readonly index: number;
  readonly name: string;
  readonly bytes: number;
  readonly loadMs: number;
  /** Those that are there, and those that went so lately that somebody may not know. */
  copies: SimCopy[] = [];

  constructor(index: number, name: string, bytes: number, loadMs: number) {
    this.index = index;
    this.name = name;
    this.bytes = bytes;
    this.loadMs = loadMs;
  }
}

interface ModelSizes {
  readonly meanBytes: number;
  readonly sizeSpread: number;
  readonly loadMs: number;
  readonly seed: number;
}

/** Sizes are drawn once; a model of twice the size takes twice as long to load. */
export function makeModels(names: readonly string[], { meanBytes, sizeSpread, loadMs, seed }: ModelSizes): SimModel[] {
  const random = seededRandom(seed ^ 0x51ed270b);
  return names.map((name, index) => {
    const factor = sizeSpread === 0 ? 1 : Math.exp(sizeSpread * normal(random) - sizeSpread ** 2 / 2);
    return new SimModel(index, name, Math.round(meanBytes * factor), loadMs * factor);
  });
}
