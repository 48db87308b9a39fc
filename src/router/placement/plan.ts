import type { Candidate } from './candidate.ts';
import { explain, type PlacementQuestion, place } from './place.ts';
import {
  defaultPlacementOptions,
  type PlacedCopy,
  type PlacementBackend,
  type PlacementModel,
  type PlacementOptions,
} from './snapshot.ts';

/** A dry run: what would be moved, how much, how long; computed by the code that decides in earnest. */

export interface PlannedModel extends PlacementModel {
  readonly copies: readonly PlacedCopy[];
  /** Known from earlier loads, or estimated. */
  readonly loadMs: number;
}

export interface FleetPicture {
  readonly backends: readonly PlacementBackend[];
  readonly models: readonly PlannedModel[];
}

export interface Move {
  readonly model: string;
  readonly version: number;
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
  readonly loadMs: number;
  /** Something at `to` has to go for it. */
  readonly evicts: boolean;
}

/** A copy that has to leave and has nowhere to go. */
interface StrandedCopy {
  readonly model: string;
  readonly version: number;
  readonly from: string;
  /** Why nobody takes it. */
  readonly candidates: readonly Candidate[];
}

interface Plan {
  readonly moves: readonly Move[];
  readonly stranded: readonly StrandedCopy[];
  readonly bytes: number;
  /** As long as the busiest backend loads, or as the moves take by their pace. */
  readonly estimatedMs: number;
}

/** How moves are carried out, as far as it says how long they take. */
export interface MovePace {
  /** Under way at once. */
  readonly atOnce: number;
  /** What each takes beside the load itself. */
  readonly overheadMs: number;
  /** From when the last one serves until the copy that it succeeds is gone. */
  readonly leaveMs: number;
}

const unpaced: MovePace = Object.freeze({ atOnce: Infinity, overheadMs: 0, leaveMs: 0 });

/** What would happen if this backend were drained now. */
export function planDrain(
  picture: FleetPicture,
  backendId: string,
  pace: MovePace = unpaced,
  options: PlacementOptions = defaultPlacementOptions,
): Plan {
  const backends = picture.backends.map((backend) =>
    backend.id === backendId ? { ...backend, state: 'draining' as const } : backend,
  );
  return plan({ ...picture, backends }, pace, options);
}

/**
 * The moves that the picture as it stands calls for: every copy on a backend that drains, has gone from the fleet, or
 * does not run the model's engine any more. Copies of a suspended backend wait for its return. A model with a legal
 * copy elsewhere is moved all the same: how many copies it should have is not placement's question.
 */
export function plan(
  picture: FleetPicture,
  pace: MovePace = unpaced,
  options: PlacementOptions = defaultPlacementOptions,
): Plan {
  const fleet = picture.backends.map((backend) => ({ ...backend }));
  const byId = new Map(fleet.map((backend) => [backend.id, backend]));
  const leaves = (copy: PlacedCopy, model: PlacementModel) => mustLeave(byId.get(copy.backendId), model);
  const moves: Move[] = [];
  const stranded: StrandedCopy[] = [];
  // Most copies stay: only models of which one leaves are sorted and looked at again.
  const leavers = picture.models.filter((model) => model.copies.some((copy) => leaves(copy, model)));
  for (const model of largestFirst(leavers)) {
    let copies = model.copies;
    for (const leaving of model.copies.filter((copy) => leaves(copy, model))) {
      const others = copies.filter((copy) => copy !== leaving);
      const question = { model, copies: others, excluded: new Set([leaving.backendId]) };
      const move = firstNew(fleet, question, leaving.backendId, options);
      if (move === undefined) {
        stranded.push(strandedAt(fleet, question, leaving.backendId, options));
        continue;
      }
      moves.push(move);
      copies = [...others, { backendId: move.to, state: 'loading' }];
      const target = byId.get(move.to)!;
      target.usedBytes = Math.min(target.usableBytes, target.usedBytes + model.expectedBytes);
      target.assignedDemand += model.demand;
    }
  }
  const bytes = moves.reduce((sum, move) => sum + move.bytes, 0);
  return { moves, stranded, bytes, estimatedMs: estimate(moves, pace) };
}

/** Large ones first: the small ones fill what is left. Names decide ties, so that a plan can be compared with another. */
function largestFirst(models: readonly PlannedModel[]): PlannedModel[] {
  return models.toSorted(
    (a, b) => b.expectedBytes - a.expectedBytes || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version - b.version),
  );
}

function mustLeave(backend: PlacementBackend | undefined, model: PlacementModel): boolean {
  return backend === undefined || backend.state === 'draining' || !backend.engines.includes(model.engine);
}

interface PlannedQuestion extends PlacementQuestion {
  readonly model: PlannedModel;
}

/** To the best backend that has no copy yet, never the one that the copy leaves. */
function firstNew(
  fleet: readonly PlacementBackend[],
  question: PlannedQuestion,
  from: string,
  options: PlacementOptions,
): Move | undefined {
  const { model, copies } = question;
  const { candidates } = place(fleet, question, { ...options, candidates: copies.length + 1 });
  const target = candidates.find(({ verdict }) => verdict.kind !== 'keep');
  if (target === undefined) return undefined;
  return {
    model: model.name,
    version: model.version,
    from,
    to: target.backendId,
    bytes: model.expectedBytes,
    loadMs: model.loadMs,
    evicts: target.verdict.kind === 'evict',
  };
}

function strandedAt(
  fleet: readonly PlacementBackend[],
  question: PlannedQuestion,
  from: string,
  options: PlacementOptions,
): StrandedCopy {
  const { name: model, version } = question.model;
  return { model, version, from, candidates: explain(fleet, question, options).candidates };
}

function estimate(moves: readonly Move[], { atOnce, overheadMs, leaveMs }: MovePace): number {
  if (moves.length === 0) return 0;
  const pacedMs = moves.reduce((sum, { loadMs }) => sum + loadMs + overheadMs, 0) / atOnce;
  return Math.round(Math.max(timeOfBusiest(moves), pacedMs) + leaveMs);
}

function timeOfBusiest(moves: readonly Move[]): number {
  const busyMs = new Map<string, number>();
  for (const { to, loadMs } of moves) busyMs.set(to, (busyMs.get(to) ?? 0) + loadMs);
  return Math.max(0, ...busyMs.values());
}
