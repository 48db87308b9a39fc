import { refusalOf } from './place.ts';
import type { FleetPicture, Move, PlannedModel } from './plan.ts';
import { PairPreference } from './rendezvous.ts';
import type { PlacementBackend } from './snapshot.ts';

/**
 * After a join: which copies a backend that holds too little should be given, of those that hold more than the average.
 *
 * It is given its share of the bytes and its share of the demand with them, no more: moves cost loads. Of each giver the
 * copies are taken evenly from the hottest to the coldest, so that load and memory come together; among those that
 * would do alike, the ones that prefer the receiver, so that they stay where they would be loaded again.
 */
export interface RebalanceOptions {
  /** A backend that uses less than this share of the average is a receiver … */
  readonly belowShare: number;
  /** … if what it lacks is so many copies of mean size at least. */
  readonly leastCopies: number;
}

/** Hashing alone leaves backends of few models at 70 % of the average: those are as they should be. */
export const defaultRebalanceOptions: RebalanceOptions = Object.freeze({ belowShare: 0.6, leastCopies: 3 });

/**
 * Of several routers each plans the moves of its own models: as much of what each giver has to give as they are of what it
 * holds. How much a model is asked for each router measures for itself; so no two have to agree about it.
 */
export interface PlanPart {
  readonly isOurs: (model: string) => boolean;
  /** This one among the routers, from 0. */
  readonly position: number;
  readonly routers: number;
}

export const wholePlan: PlanPart = Object.freeze({ isOurs: () => true, position: 0, routers: 1 });

/** How full a backend is that takes models. */
export type Fill = Pick<PlacementBackend, 'id' | 'usableBytes' | 'usedBytes'>;

/** Cheapest first. None where nobody lacks enough, which is where it comes to rest. */
export function planRebalance(
  picture: FleetPicture,
  part: PlanPart = wholePlan,
  options: RebalanceOptions = defaultRebalanceOptions,
): readonly Move[] {
  const fleet = picture.backends.filter(({ state, usableBytes }) => state === 'ready' && usableBytes > 0);
  const sums = fleetSums(fleet);
  const copies = picture.models.reduce((sum, model) => sum + model.copies.length, 0);
  const meanBytes = sums.usedBytes / Math.max(1, copies);
  const receivers = lackingMost(fleet, options)
    .filter(({ usableBytes, usedBytes }) => sums.usedShare * usableBytes - usedBytes >= options.leastCopies * meanBytes)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  if (receivers.length === 0) return [];
  const givers = giversOf(fleet, picture.models, sums);
  const zones = new Map(picture.backends.map(({ id, zone }) => [id, zone]));
  const moves = receivers.flatMap((receiver) => movesTo(receiver, givers, { sums, meanBytes, part, zones }));
  return moves.sort((a, b) => a.loadMs - b.loadMs || a.bytes - b.bytes || (a.model < b.model ? -1 : 1));
}

/** Backends that use less than their share: cheap to ask, where a plan looks at every copy. */
export function lackingMost<B extends Fill>(
  fleet: readonly B[],
  { belowShare }: RebalanceOptions = defaultRebalanceOptions,
): B[] {
  const usedShare =
    sum(fleet, (one) => one.usedBytes) /
    Math.max(
      1,
      sum(fleet, (one) => one.usableBytes),
    );
  return fleet.filter(({ usedBytes, usableBytes }) => usedBytes < belowShare * usedShare * usableBytes);
}

/** What a plan goes by. */
interface Basis {
  readonly sums: FleetSums;
  /** Of a copy. */
  readonly meanBytes: number;
  readonly part: PlanPart;
  /** By backend. */
  readonly zones: ReadonlyMap<string, string | undefined>;
}

interface FleetSums {
  readonly usedBytes: number;
  /** Of all that is usable. */
  readonly usedShare: number;
  /** Demand per usable byte. */
  readonly demandShare: number;
}

interface Giver {
  readonly backend: PlacementBackend;
  readonly excessBytes: number;
  readonly excessDemand: number;
  readonly models: PlannedModel[];
}

function fleetSums(fleet: readonly PlacementBackend[]): FleetSums {
  let usable = 0;
  let used = 0;
  let demand = 0;
  for (const backend of fleet) {
    usable += backend.usableBytes;
    used += backend.usedBytes;
    demand += backend.assignedDemand;
  }
  return { usedBytes: used, usedShare: used / Math.max(1, usable), demandShare: demand / Math.max(1, usable) };
}

function giversOf(fleet: readonly PlacementBackend[], models: readonly PlannedModel[], sums: FleetSums): Giver[] {
  const givers: Giver[] = [];
  const modelsAt = new Map<string, PlannedModel[]>();
  for (const backend of fleet) {
    const excessBytes = backend.usedBytes - sums.usedShare * backend.usableBytes;
    if (excessBytes <= 0) continue;
    const excessDemand = Math.max(0, backend.assignedDemand - sums.demandShare * backend.usableBytes);
    const giver: Giver = { backend, excessBytes, excessDemand, models: [] };
    givers.push(giver);
    modelsAt.set(backend.id, giver.models);
  }
  for (const model of models)
    for (const { backendId, state } of model.copies) if (state === 'ready') modelsAt.get(backendId)?.push(model);
  return givers.sort((a, b) => (a.backend.id < b.backend.id ? -1 : 1));
}

function hottestFirst(a: PlannedModel, b: PlannedModel): number {
  return b.demand - a.demand || (a.name < b.name ? -1 : 1);
}

/** What is still to be handed over. Rests of less than a copy are carried from giver to giver. */
interface Debt {
  bytes: number;
  demand: number;
}

function movesTo(receiver: PlacementBackend, givers: readonly Giver[], basis: Basis): Move[] {
  const { sums, meanBytes, part } = basis;
  const lackingBytes = sums.usedShare * receiver.usableBytes - receiver.usedBytes;
  const lackingDemand = Math.max(0, sums.demandShare * receiver.usableBytes - receiver.assignedDemand);
  const bytesPerExcess = lackingBytes / givers.reduce((sum, { excessBytes }) => sum + excessBytes, 0);
  const excessDemand = givers.reduce((sum, giver) => sum + giver.excessDemand, 0);
  const demandPerExcess = excessDemand > 0 ? lackingDemand / excessDemand : 0;
  // Of a rest of less than a copy for each router only some take one: so all together take what is due.
  const staggerBytes = ((part.position + 0.5) / part.routers - 0.5) * meanBytes;
  const debt: Debt = { bytes: 0, demand: 0 };
  const moves: Move[] = [];
  for (const giver of givers) {
    const share = {
      bytes: Math.min(1, bytesPerExcess) * giver.excessBytes,
      demand: Math.min(1, demandPerExcess) * giver.excessDemand,
    };
    const extraBytes = giver === givers.at(-1) ? staggerBytes : 0;
    moves.push(...taken(receiver, giver, { share, extraBytes }, debt, basis));
  }
  return moves;
}

/**
 * Takes from one giver. Its models stand in line by demand, and of each stretch that is due one copy the one is taken that
 * brings what was handed over closest to what should have been by then. Nobody stands in line for a single copy: of a
 * million models on a thousand backends that would be most of the time.
 */
function taken(
  receiver: PlacementBackend,
  giver: Giver,
  { share: whole, extraBytes }: { readonly share: Debt; readonly extraBytes: number },
  debt: Debt,
  { part, zones }: Basis,
): Move[] {
  const able: PlannedModel[] = [];
  const allOf = { bytes: 0, demand: 0 };
  const own = { bytes: 0, demand: 0 };
  // One pass: of a million models this is most of the time.
  for (const model of giver.models) {
    if (!mayMove(model, receiver, giver.backend, zones)) continue;
    allOf.bytes += model.expectedBytes;
    allOf.demand += model.demand;
    if (!part.isOurs(model.name)) continue;
    own.bytes += model.expectedBytes;
    own.demand += model.demand;
    able.push(model);
  }
  const { bytes, demand } = own;
  const share = {
    bytes: whole.bytes * ratio(bytes, allOf.bytes),
    demand: whole.demand * ratio(demand, allOf.demand),
  };
  const dueCopies = ((debt.bytes + share.bytes + extraBytes) * able.length) / bytes;
  if (able.length === 0 || dueCopies < 1.5) {
    debt.bytes += share.bytes + extraBytes;
    debt.demand += share.demand;
    return dueCopies >= 0.5 ? [take(able, receiver, giver, debt)] : [];
  }
  const moves: Move[] = [];
  let stretch: PlannedModel[] = [];
  const coldHalf = able.length >> 1;
  for (const [at, model] of able.sort(hottestFirst).entries()) {
    // Among cold ones it matters little that fewer or more stand in line.
    if (at === coldHalf) debt.bytes += extraBytes;
    debt.bytes += (share.bytes * model.expectedBytes) / bytes;
    if (demand > 0) debt.demand += (share.demand * model.demand) / demand;
    stretch.push(model);
    if (debt.bytes < model.expectedBytes / 2) continue;
    moves.push(take(stretch, receiver, giver, debt));
    stretch = [];
  }
  return moves;
}

function take(stretch: readonly PlannedModel[], receiver: PlacementBackend, giver: Giver, debt: Debt): Move {
  const chosen = closest(stretch, debt.demand, receiver, giver.backend);
  debt.bytes -= chosen.expectedBytes;
  debt.demand -= chosen.demand;
  // For the next receiver it is not there any more.
  giver.models.splice(giver.models.indexOf(chosen), 1);
  const { name, version, expectedBytes: bytes, loadMs } = chosen;
  return { model: name, version, from: giver.backend.id, to: receiver.id, bytes, loadMs, evicts: false };
}

/** Copies whose demand is within this share of the one that is due do alike. */
const alikeShare = 0.1;

function closest(
  stretch: readonly PlannedModel[],
  dueDemand: number,
  receiver: PlacementBackend,
  giver: PlacementBackend,
): PlannedModel {
  // Too much counts twice: what was handed over can be added to, and not taken back.
  const distance = ({ demand }: PlannedModel) => (demand > dueDemand ? 2 * (demand - dueDemand) : dueDemand - demand);
  let least = Infinity;
  for (const model of stretch) least = Math.min(least, distance(model));
  const alike = least + alikeShare * Math.abs(dueDemand);
  let chosen = stretch[0]!;
  let best = -Infinity;
  const preference = new PairPreference(receiver, giver);
  for (const model of stretch) {
    if (distance(model) > alike) continue;
    const ratio = preference.ratio(model.name);
    if (ratio < best || (ratio === best && model.name > chosen.name)) continue;
    best = ratio;
    chosen = model;
  }
  return chosen;
}

/** Not where it has a copy, nor into a zone that holds another one, unless it is there already. */
function mayMove(
  model: PlannedModel,
  receiver: PlacementBackend,
  giver: PlacementBackend,
  zones: ReadonlyMap<string, string | undefined>,
): boolean {
  const isChecked = receiver.zone !== undefined && receiver.zone !== giver.zone;
  for (const { backendId } of model.copies) {
    if (backendId === receiver.id) return false;
    if (isChecked && backendId !== giver.id && zones.get(backendId) === receiver.zone) return false;
  }
  return refusalOf(receiver, model) === undefined;
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

function sum<T>(of: readonly T[], value: (one: T) => number): number {
  let total = 0;
  for (const one of of) total += value(one);
  return total;
}
