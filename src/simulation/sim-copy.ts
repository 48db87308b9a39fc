import type { SimBackend } from './sim-backend.ts';
import type { SimModel } from './sim-model.ts';

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
