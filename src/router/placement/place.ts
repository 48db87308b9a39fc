import type { Candidate, Refusal, Verdict } from './candidate.ts';
import { PreferenceWalk } from './rendezvous.ts';
import {
  defaultPlacementOptions,
  type PlacedCopy,
  type PlacementBackend,
  type PlacementModel,
  type PlacementOptions,
} from './snapshot.ts';

export interface PlacementQuestion {
  readonly model: PlacementModel;
  readonly copies: readonly PlacedCopy[];
  /** Backends that have just failed this model. */
  readonly excluded?: ReadonlySet<string>;
}

export interface Placement {
  /** `room`: some backend can take the model as it is; `full`: something must be evicted; `none`: nobody can. */
  readonly regime: 'room' | 'full' | 'none';
  /**
   * Best first. Copies that may stay come before all others, so a caller who wants n copies takes the first n. In
   * `explain` the refused follow at the end.
   */
  readonly candidates: readonly Candidate[];
}

/**
 * Where one model should be. A copy that is legal stays (choosing afresh moves 5 to 9 times more). Else the first of the
 * preference list that has room within the bounds; and where nobody has room, the cheapest to evict of its first few.
 *
 * Cost at 1,000 backends: one pass of short hashes, and steps of log(n) for as many as are looked at.
 */
export function place(
  backends: readonly PlacementBackend[],
  question: PlacementQuestion,
  options: PlacementOptions = defaultPlacementOptions,
): Placement {
  return rank(backends, question, options, options.candidates);
}

/** The same decision with every backend in the list, those refused at the end: why is it there, and why not elsewhere. */
export function explain(
  backends: readonly PlacementBackend[],
  question: PlacementQuestion,
  options: PlacementOptions = defaultPlacementOptions,
): Placement {
  return rank(backends, question, options, Infinity);
}

/** The fleet in sums: how full it is and how much asked for, per usable byte, over the backends that take models. */
interface FleetShares {
  readonly limitUsedShare: number;
  readonly limitDemandPerByte: number;
  /** Backends that could take the model without evicting, and those that hold a copy: how far a walk has to go. */
  readonly withRoom: number;
  readonly withCopy: number;
  /** Backends with room in zones that hold no copy, where the model has copies already: one of them comes first. */
  readonly freshZones: ReadonlySet<string>;
}

type Found = Record<Verdict['kind'], Candidate[]>;

function rank(
  backends: readonly PlacementBackend[],
  question: PlacementQuestion,
  options: PlacementOptions,
  wanted: number,
): Placement {
  const shares = fleetShares(backends, question, options);
  const walk = new PreferenceWalk(question.model.name, backends);
  const found: Found = { keep: [], room: [], over_bound: [], evict: [], not_considered: [], refused: [] };
  for (let position = 0; wanted === Infinity || !isEnough(found, shares, options, wanted); position++) {
    const backend = walk.next();
    if (backend === undefined) break;
    const verdict = judge(backend, question, shares, found.evict.length < options.choices);
    found[verdict.kind].push({ backendId: backend.id, rank: position, verdict });
  }
  const { keep, room, over_bound: overBound, evict, not_considered: others, refused } = found;
  const isFresh = ({ backendId }: Candidate) => shares.freshZones.has(backendId);
  const regime = room.length + overBound.length > 0 ? 'room' : evict.length > 0 ? 'full' : 'none';
  const spread =
    shares.freshZones.size === 0 ? room : [...room].sort((a, b) => Number(isFresh(b)) - Number(isFresh(a)));
  const able = [...keep.sort(readyFirst), ...spread, ...overBound, ...byPrice(evict, options)];
  if (wanted !== Infinity) return { regime, candidates: able.slice(0, Math.max(wanted, keep.length)) };
  return { regime, candidates: [...able, ...others, ...refused, ...membersOfNoWeight(backends)] };
}

/** Nothing further down the list could change the answer. */
function isEnough(found: Found, shares: FleetShares, options: PlacementOptions, wanted: number): boolean {
  if (found.keep.length < shares.withCopy) return false;
  const isSpread = shares.freshZones.size === 0 || found.room.some(({ backendId }) => shares.freshZones.has(backendId));
  if (found.room.length >= wanted && isSpread) return true;
  const roomSeen = found.room.length + found.over_bound.length;
  return roomSeen === shares.withRoom && found.evict.length >= options.choices;
}

function judge(
  backend: PlacementBackend,
  question: PlacementQuestion,
  shares: FleetShares,
  competes: boolean,
): Verdict {
  const why = refusalOf(backend, question.model, question.excluded);
  if (why !== undefined) return { kind: 'refused', why };
  const copy = copyAt(backend, question);
  if (copy !== undefined) return { kind: 'keep', copy: copy.state };
  if (hasRoom(backend, question.model)) {
    const freeBytes = backend.usableBytes - backend.usedBytes;
    const usedShare = backend.usedBytes / backend.usableBytes;
    const limitShare = shares.limitUsedShare;
    return { kind: usedShare <= limitShare ? 'room' : 'over_bound', freeBytes, usedShare, limitShare };
  }
  const price = backend.evictionPrice;
  if (price === Infinity) return { kind: 'refused', why: 'nothing_to_evict' };
  return competes
    ? { kind: 'evict', price, effectivePrice: effectivePrice(backend, shares) }
    : { kind: 'not_considered', price };
}

/**
 * The bound on use is compared with what is used before the model comes: so some backend is always within it, in an empty
 * fleet too, and it is overshot by one model at most.
 */
function fleetShares(
  backends: readonly PlacementBackend[],
  question: PlacementQuestion,
  options: PlacementOptions,
): FleetShares {
  let usable = 0;
  let used = 0;
  let demand = 0;
  let withRoom = 0;
  let withCopy = 0;
  for (const backend of backends) {
    if (backend.state !== 'ready') continue;
    usable += backend.usableBytes;
    used += backend.usedBytes;
    demand += backend.assignedDemand;
    if (refusalOf(backend, question.model, question.excluded) !== undefined) continue;
    if (copyAt(backend, question) !== undefined) withCopy += 1;
    else if (hasRoom(backend, question.model)) withRoom += 1;
  }
  const perByte = usable > 0 ? 1 / usable : 0;
  return {
    limitUsedShare: (1 + options.useSlack) * used * perByte,
    limitDemandPerByte: (1 + options.demandSlack) * demand * perByte,
    withRoom,
    withCopy,
    freshZones: withCopy === 0 ? noZones : freshZones(backends, question),
  };
}

const noZones: ReadonlySet<string> = new Set();

/** A zone that fails takes all its copies: the next one goes where none is yet. */
function freshZones(backends: readonly PlacementBackend[], question: PlacementQuestion): ReadonlySet<string> {
  const taken = new Set(backends.filter((one) => copyAt(one, question) !== undefined).map(({ zone }) => zone));
  const fresh = backends.filter(
    (one) =>
      !taken.has(one.zone) &&
      refusalOf(one, question.model, question.excluded) === undefined &&
      hasRoom(one, question.model),
  );
  return new Set(fresh.map(({ id }) => id));
}

/** Why a backend may not be given the model at all; undefined where it may, whether it has room or not. */
export function refusalOf(
  backend: PlacementBackend,
  model: PlacementModel,
  excluded?: ReadonlySet<string>,
): Refusal | undefined {
  if (backend.state !== 'ready') return backend.state;
  if (excluded?.has(backend.id)) return 'excluded';
  if (!backend.engines.includes(model.engine)) return 'engine';
  for (const label in model.requires) if (backend.labels[label] !== model.requires[label]) return 'labels';
  if (backend.taints?.some((taint) => !toleratesTaint(model, taint))) return 'taint';
  return model.expectedBytes > backend.usableBytes ? 'too_large' : undefined;
}

function toleratesTaint({ requires, tolerates }: PlacementModel, taint: string): boolean {
  return tolerates?.includes(taint) === true || (requires !== undefined && Object.hasOwn(requires, taint));
}

function hasRoom(backend: PlacementBackend, model: PlacementModel): boolean {
  return backend.usedBytes + model.expectedBytes <= backend.usableBytes;
}

function copyAt(backend: PlacementBackend, question: PlacementQuestion): PlacedCopy | undefined {
  return question.copies.find(({ backendId }) => backendId === backend.id);
}

/**
 * Demand raises the price in proportion and never forbids: a backend whose few hot models carry most of the demand must
 * still be able to give up the cold ones beside them, or they would sit there for ever.
 */
function effectivePrice(backend: PlacementBackend, shares: FleetShares): number {
  const demandPerByte = backend.assignedDemand / backend.usableBytes;
  const excess = shares.limitDemandPerByte > 0 ? demandPerByte / shares.limitDemandPerByte : 0;
  return backend.evictionPrice * Math.max(1, excess);
}

/** The winner by hysteresis first, the others by price. `found` is in the order of the preference list. */
function byPrice(found: readonly Candidate[], options: PlacementOptions): Candidate[] {
  let winner = found[0];
  if (winner === undefined) return [];
  for (const other of found) {
    if (paidAt(other) < options.priceHysteresis * paidAt(winner)) winner = other;
  }
  const others = found.filter((candidate) => candidate !== winner);
  return [winner, ...others.sort((a, b) => paidAt(a) - paidAt(b))];
}

function paidAt({ verdict }: Candidate): number {
  return verdict.kind === 'evict' ? verdict.effectivePrice : Infinity;
}

function readyFirst(a: Candidate, b: Candidate): number {
  return Number(isLoading(a)) - Number(isLoading(b));
}

function isLoading({ verdict }: Candidate): boolean {
  return verdict.kind === 'keep' && verdict.copy === 'loading';
}

function membersOfNoWeight(backends: readonly PlacementBackend[]): Candidate[] {
  return backends
    .filter(({ usableBytes }) => !(usableBytes > 0))
    .map(({ id }) => ({ backendId: id, rank: -1, verdict: { kind: 'refused', why: 'too_large' } }));
}
