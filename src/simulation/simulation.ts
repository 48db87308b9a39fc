import { ownerOf } from '../router/scaling/model-owner.ts';
import { defaultScalingOptions } from '../router/scaling/options.ts';
import type { Quantiles, SimulationFigures, Spread } from './figures.ts';
import { FleetEvents } from './fleet-events.ts';
import type { FleetShape } from './fleet-shape.ts';
import type { LatencyHistogram } from './latency-histogram.ts';
import { bestFixedHits, lruHits } from './reference-caches.ts';
import { seededRandom } from './seeded-random.ts';
import { SimBackend } from './sim-backend.ts';
import { makeModels, type SimModel } from './sim-model.ts';
import { SimMover } from './sim-mover.ts';
import { SimRouter } from './sim-router.ts';
import { SimScaler } from './sim-scaler.ts';
import { Tally } from './tally.ts';
import type { Arrival, Trace } from './traces/trace.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Everybody has heard of everybody before the first request. */
const headStartMs = 1_000;

/** Replays a trace against the policies of Skein. The same shape and trace give the same figures, to the last digit. */
export function simulate(shape: FleetShape, trace: Trace): SimulationFigures {
  return new Simulation(shape, trace).run();
}

class Simulation {
  readonly #shape: FleetShape;
  readonly #clock = new VirtualClock();
  readonly #tally: Tally;
  readonly #models: SimModel[];
  readonly #routers: SimRouter[];
  readonly #scalers: SimScaler[];
  readonly #movers: SimMover[];
  readonly #backends: SimBackend[] = [];
  readonly #events: FleetEvents;
  readonly #startMs: number;
  readonly #random;
  readonly #arrivals: Iterator<Arrival>;
  /** Models in the order of their requests, from the end of the warm-up on. */
  readonly #asked: number[] = [];
  #open = 0;
  #isTraceOver = false;

  constructor(shape: FleetShape, trace: Trace) {
    this.#shape = shape;
    this.#startMs = headStartMs + shape.skewMs;
    this.#tally = new Tally(this.#startMs + shape.warmMs);
    this.#random = seededRandom(shape.seed);
    this.#models = makeModels(trace.models, shape);
    const byName = new Map(this.#models.map((model) => [model.name, model]));
    const parts = { clock: this.#clock, shape, random: this.#random, tally: this.#tally };
    const ids = Array.from({ length: shape.routers }, (_, at) => `router-${at + 1}`);
    const lateMs = (at: number) => shape.linkMs + (ids.length < 2 ? 0 : (shape.skewMs * at) / (ids.length - 1));
    this.#routers = ids.map((id, at) => new SimRouter(id, lateMs(at), parts));
    const owners = new Map<SimModel, string | undefined>();
    const ownerOfModel = (model: SimModel) => {
      let owner = owners.get(model);
      if (owner === undefined) {
        owner = ownerOf(model.name, ids);
        owners.set(model, owner);
      }
      return owner;
    };
    const isOursOf = (router: SimRouter) => (model: SimModel) => ownerOfModel(model) === router.id;
    this.#scalers = this.#routers.map((router) => new SimScaler(router, parts, ids.length, isOursOf(router)));
    this.#events = new FleetEvents(this.#clock, this.#startMs, () => this.#addBackend(), this.#models);
    this.#movers = this.#routers.map((router, position) => {
      const own = { models: this.#models, routers: ids.length, position, isOurs: isOursOf(router) };
      return new SimMover(
        router,
        { ...parts, ...own, onMoved: (move, why) => this.#events.onMoved(move, why) },
        byName,
      );
    });
    this.#arrivals = trace.arrivals()[Symbol.iterator]();
  }

  run(): SimulationFigures {
    const { nodes, events, clients } = this.#shape;
    for (let at = 0; at < nodes; at++) this.#addBackend();
    this.#events.schedule(events, this.#routers, this.#movers, this.#backends);
    this.#clock.at(this.#startMs, () => this.#tick());
    if (clients === 0) this.#scheduleNext();
    else for (let client = 0; client < clients; client++) this.#clock.at(this.#startMs, () => this.#sendNext());
    this.#clock.run(() => this.#isTraceOver && this.#open === 0);
    return this.#figures();
  }

  #addBackend(): SimBackend {
    const { places, meanBytes, loadSpread, runMs, runSlots, loadLanes } = this.#shape;
    const limitBytes = Math.round((places + 0.5) * meanBytes);
    const id = `b${this.#backends.length + 1}`;
    const backend = new SimBackend(
      id,
      this.#clock,
      { limitBytes, loadSpread, runMs, runSlots, loadLanes },
      this.#random,
    );
    this.#backends.push(backend);
    for (const { sight } of this.#routers) sight.onJoin(backend);
    backend.states.touch();
    return backend;
  }

  /** Open loop: each request comes when the trace says, however the others fare. */
  #scheduleNext(): void {
    const next = this.#arrivals.next();
    if (next.done === true) {
      this.#isTraceOver = true;
      return;
    }
    this.#clock.at(this.#startMs + next.value.atMs, () => {
      this.#send(next.value.model, () => {});
      this.#scheduleNext();
    });
  }

  /** Closed loop: a client that was answered asks for the next. */
  #sendNext(): void {
    const next = this.#arrivals.next();
    if (next.done === true) this.#isTraceOver = true;
    else this.#send(next.value.model, () => this.#sendNext());
  }

  #send(index: number, after: () => void): void {
    const clock = this.#clock;
    const sentAtMs = clock.nowMs;
    const model = this.#models[index]!;
    const router = this.#routers[Math.floor(this.#random() * this.#routers.length)]!;
    if (sentAtMs >= this.#startMs + this.#shape.warmMs) this.#asked.push(index);
    this.#open += 1;
    let isOver = false;
    const request = {
      ...{ model, sentAtMs, attempts: 0, wasHit: false, excluded: new Set<never>() },
      done: (outcome: 'answered' | 'refused') => {
        if (isOver) return;
        isOver = true;
        this.#open -= 1;
        this.#tally.ended(outcome, clock.nowMs - sentAtMs, request.wasHit, sentAtMs);
        // A client that is refused at once does not come back at once.
        if (outcome === 'refused') clock.after(refusedPauseMs, after);
        else after();
      },
    };
    router.receive(request);
  }

  #tick(): void {
    const crowded = this.#tally.takeCrowded();
    if (this.#shape.scales) for (const scaler of this.#scalers) scaler.tick(crowded);
    if (this.#shape.rebalances) for (const mover of this.#movers) mover.tick();
    this.#clock.after(defaultScalingOptions.tickMs, () => this.#tick());
  }

  #figures(): SimulationFigures {
    const tally = this.#tally;
    const stayed = this.#backends.slice(0, this.#shape.nodes).filter(({ isGone }) => !isGone);
    return {
      virtualSeconds: (this.#clock.nowMs - this.#startMs) / 1000,
      requests: tally.requests,
      answered: tally.answered,
      refused: tally.refused,
      retries: tally.retries,
      hitRate: tally.hits / Math.max(1, tally.requests),
      references: this.#references(tally.hits),
      latency: quantiles(tally.latency),
      coldLatency: quantiles(tally.coldLatency),
      loads: { ...tally.loads },
      duplicateLoads: tally.duplicateLoads,
      trims: tally.trims,
      course: tally.course(courseParts),
      evictions: this.#backends.reduce((sum, { tally: own }) => sum + own.evictions, 0),
      mostUsedBytes: Math.max(...this.#backends.map(({ tally: own }) => own.mostUsedBytes)),
      loadsByNode: spread(stayed.map(({ tally: own }) => own.loads)),
      requestsByNode: spread(stayed.map(({ tally: own }) => own.requests)),
      events: this.#events.figures(),
    };
  }

  #references(hits: number) {
    const { nodes, places, meanBytes } = this.#shape;
    const limitBytes = nodes * places * meanBytes;
    const bytesOf = (model: number) => this.#models[model]!.bytes;
    const count = Math.max(1, this.#asked.length);
    const lru = lruHits(this.#asked, bytesOf, limitBytes) / count;
    const bestFixed = bestFixedHits(this.#asked, bytesOf, limitBytes) / count;
    return { lru, bestFixed, way: bestFixed > lru ? (hits / count - lru) / (bestFixed - lru) : 1 };
  }
}

const refusedPauseMs = 1_000;
const courseParts = 20;

function quantiles(of: LatencyHistogram): Quantiles {
  const at = (share: number) => of.quantileMs(share);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: of.maxMs };
}

function spread(values: readonly number[]): Spread {
  return { min: Math.min(...values), max: Math.max(...values) };
}
