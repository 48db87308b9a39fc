import type { BackendRecord, BackendSession } from '../../adapters/adapter.ts';
import type { BackendState, CopyFacts } from '../../protocol/link/messages.ts';
import type { PlacementBackend } from '../placement/snapshot.ts';
import { BackendView } from './backend-view.ts';
import type { Catalogue } from './catalogue.ts';
import { CopyView } from './copy-view.ts';
import type { ModelEntry } from './model-entry.ts';

/** Before any load was measured. */
const guessedOverheadMs = 50;
/** Of one load in the mean. */
const overheadWeight = 0.1;

/** What the fleet looks like now, kept from what backends push. Nothing is decided here. */
export class FleetView {
  readonly backends = new Map<string, BackendView>();
  readonly #catalogue: Catalogue;
  readonly #listeners = new Set<() => void>();
  /** What a load takes beside what its backend measures: the wait for its turn, files, the way there and back. */
  loadOverheadMs = guessedOverheadMs;

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
  }

  /** Calls back after every change that could let a waiting request go on. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  add(record: BackendRecord): BackendView {
    const view = new BackendView(record);
    this.backends.set(record.id, view);
    return view;
  }

  remove(id: string): void {
    const view = this.backends.get(id);
    if (view === undefined) return;
    this.onLost(view, 'removed');
    this.backends.delete(id);
  }

  onConnected(view: BackendView, session: BackendSession): void {
    view.session = session;
    view.software = session.software;
    view.isStalled = false;
    view.reason = '';
    this.#forgetReady(view);
    this.#tell();
  }

  onState(view: BackendView, state: BackendState, changed: readonly CopyFacts[], gone: readonly number[]): void {
    view.state = state;
    for (const facts of changed) this.applyCopy(view, facts);
    for (const id of gone) this.#dropCopy(view, id);
    this.#forgetReady(view);
    this.#tell();
  }

  /** What a load's own answer says comes before the next state, and may come after it. */
  applyCopy(view: BackendView, facts: CopyFacts): CopyView {
    let copy = view.copies.get(facts.id);
    if (copy === undefined) {
      copy = new CopyView(view, this.#entryOf(view, facts), facts);
      view.copies.set(facts.id, copy);
      copy.entry.active().copies.add(copy);
    } else copy.update(facts);
    const activity = copy.entry.active();
    if (facts.phase === 'ready') activity.noteReady(facts);
    activity.forgetReady();
    return copy;
  }

  /** A load that this router asked for took so long. */
  noteLoad(tookMs: number, { loadMs }: CopyFacts): void {
    this.loadOverheadMs += (Math.max(0, tookMs - loadMs) - this.loadOverheadMs) * overheadWeight;
  }

  /** An external server would load these. */
  onOffers(view: BackendView, models: readonly string[]): void {
    const { id } = view.record;
    const offered = new Set(models);
    for (const model of offered) this.#catalogue.addExternal(model, id);
    for (const model of view.offered)
      if (!offered.has(model) && !this.#has(view, model)) this.#catalogue.removeExternal(model, id);
    view.offered = offered;
    this.#tell();
  }

  onStalled(view: BackendView, stalled: boolean, reason: string): void {
    view.isStalled = stalled;
    view.reason = stalled ? reason : '';
    this.#forgetReady(view);
    if (stalled) {
      for (const copy of view.copies.values()) for (const [, request] of copy.sent.entries()) request.onStalled();
    }
    this.#tell();
  }

  /** The registry says something else of it than before. */
  onDescribed(view: BackendView, record: BackendRecord, isLeaving: boolean): void {
    view.record = record;
    view.isLeaving = isLeaving;
    this.#forgetReady(view);
    this.#tell();
  }

  onLost(view: BackendView, reason: string): void {
    view.session = undefined;
    view.isStalled = false;
    view.reason = reason;
    view.promisedBytes = 0;
    for (const id of [...view.copies.keys()]) this.#dropCopy(view, id);
    this.#tell();
  }

  /** Mean size of what is loaded; 0 while nothing is. */
  get meanCopyBytes(): number {
    let bytes = 0;
    let copies = 0;
    for (const view of this.backends.values()) {
      bytes += view.state.usedBytes;
      copies += view.copies.size;
    }
    return copies === 0 ? 0 : bytes / copies;
  }

  /** The backends that placement may choose among, with what is asked of the models on each. */
  placementBackends(nowMs: number): PlacementBackend[] {
    const backends: PlacementBackend[] = [];
    for (const view of this.backends.values()) {
      let demand = 0;
      for (const { facts, entry } of view.copies.values()) {
        const rate = entry.activity?.rate.perSecond(nowMs) ?? 0;
        demand += rate * facts.residentBytes;
      }
      const backend = view.placement(demand);
      if (backend !== undefined) backends.push(backend);
    }
    return backends;
  }

  /** An external server may have models that no repository knows. */
  #entryOf(view: BackendView, facts: CopyFacts): ModelEntry {
    const external = view.record.kind !== 'skein';
    return external ? this.#catalogue.addExternal(facts.model, view.record.id) : this.#catalogue.ensure(facts.model);
  }

  /** Declared of it, or loaded there. */
  #has({ record, copies }: BackendView, model: string): boolean {
    if (record.models?.includes(model) === true) return true;
    for (const { facts } of copies.values()) if (facts.model === model) return true;
    return false;
  }

  #dropCopy(view: BackendView, id: number): void {
    const copy = view.copies.get(id);
    if (copy === undefined) return;
    view.copies.delete(id);
    const { entry } = copy;
    entry.activity?.copies.delete(copy);
    entry.activity?.forgetReady();
    this.#catalogue.forgetIfGone(entry);
  }

  #forgetReady(view: BackendView): void {
    for (const { entry } of view.copies.values()) entry.activity?.forgetReady();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
