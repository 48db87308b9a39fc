import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineKind } from '../../fleet/repository/model-backend.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { BackendConnector } from './backend-connector.ts';
import type { BackendView } from './backend-view.ts';
import { specOf } from './copy-spec.ts';
import type { FleetView } from './fleet-view.ts';
import { engineOf } from './placement-question.ts';
import type { ProcessKeeper } from './process-keeper.ts';
import type { RequestRun } from './request-run.ts';
import { within } from './within.ts';

interface Suspect {
  readonly run: RequestRun;
  /** What its backend's end was to it. */
  readonly error: SkeinError;
  /** Equal for all that were in one process when it crashed. */
  readonly crash: symbol;
  /** A conviction of the same body that came since. */
  readonly refusal: () => SkeinError | undefined;
}

/** One process for each engine that a suspect needed. */
function quarantineId(engine: EngineKind): string {
  return engine === 'onnx' ? 'quarantine' : `quarantine-${engine}`;
}

/** More suspects than this are answered with the crash itself: a retry that waits for ever helps nobody. */
const maxSuspects = 4_096;

/** The quarantine process costs memory: it goes when it was not needed for so long. */
const idleMs = 60_000;

/** How long a suspect waits for the quarantine process, which may have just crashed itself. */
const connectMs = 15_000;

/** And for its model to load there, before the next suspect has its turn. */
const loadMs = 60_000;

/** How long a suspect that has its turn among the others keeps it: its model may have to load first. */
const turnMs = 2_000;

/**
 * Runs suspects one after the other, each alone in a process that serves nobody else. Routers of a fleet can start none:
 * there each runs among the others, while no other suspect of the fleet does.
 */
export class SuspectRunner {
  readonly #fleet: FleetView;
  readonly #connector: BackendConnector;
  readonly #processes: ProcessKeeper;
  #queue: Suspect[] = [];
  #current: Suspect | undefined;
  #onDone: (() => void) | undefined;
  #isRunning = false;
  readonly #views = new Map<EngineKind, BackendView>();
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(fleet: FleetView, connector: BackendConnector, processes: ProcessKeeper) {
    this.#fleet = fleet;
    this.#connector = connector;
    this.#processes = processes;
  }

  /** The crash that the run is tried alone for; undefined where it is not. */
  triedFor(run: RequestRun): symbol | undefined {
    return this.#current?.run === run ? this.#current.crash : undefined;
  }

  add(suspect: Suspect): void {
    if (this.#queue.length >= maxSuspects) {
      suspect.run.fail(new SkeinError('copy_crashed', { model: suspect.run.entry.name }));
      return;
    }
    this.#queue.push(suspect);
    if (!this.#isRunning) void this.#runAll();
  }

  /** The run has its answer, or its process is lost: the next suspect may go. */
  finished(run: RequestRun): void {
    if (this.#current?.run === run) this.#onDone?.();
  }

  /** A culprit was found: the others that were in that crash go on as if their process had been ended from outside. */
  spareOthers(crash: symbol): void {
    const spared = this.#queue.filter((suspect) => suspect.crash === crash);
    this.#queue = this.#queue.filter((suspect) => suspect.crash !== crash);
    for (const { run, error, refusal } of spared) {
      const refused = refusal();
      if (refused !== undefined) run.fail(refused);
      else run.retry(error);
    }
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    clearTimeout(this.#idleTimer);
    for (let suspect = this.#queue[0]; suspect !== undefined; suspect = this.#queue[0]) {
      const refused = suspect.refusal();
      if (refused !== undefined || suspect.run.isOver) {
        this.#queue.shift();
        if (refused !== undefined) suspect.run.fail(refused);
      } else if (this.#processes.takeTurn === undefined) await this.#tryApart(suspect);
      else await this.#tryInTurn(suspect, await this.#processes.takeTurn());
    }
    this.#isRunning = false;
    this.#idleTimer = setTimeout(() => this.#closeProcesses(), idleMs).unref();
  }

  /** Among the others: whatever ends that process while it runs is taken to be this suspect. */
  async #tryInTurn(suspect: Suspect, end: (() => Promise<void>) | undefined): Promise<void> {
    const isFirst = this.#queue[0] === suspect; // else spared meanwhile
    const refused = isFirst ? suspect.refusal() : undefined;
    if (isFirst) this.#queue.shift();
    if (refused !== undefined) suspect.run.fail(refused);
    else if (isFirst && end === undefined) suspect.run.retry(suspect.error);
    else if (isFirst) {
      const tried = new Promise<void>((resolve) => {
        this.#current = suspect;
        this.#onDone = resolve;
        suspect.run.retry(suspect.error);
      });
      await Promise.race([tried, sleep(turnMs, undefined, { ref: false })]); // then it goes on without its turn
      this.#current = undefined;
      this.#onDone = undefined;
    }
    await end?.();
  }

  async #tryApart(suspect: Suspect): Promise<void> {
    const view = await this.#connected(engineOf(suspect.run.entry));
    if (this.#queue[0] !== suspect) return; // spared meanwhile
    this.#queue.shift();
    if (view === undefined) suspect.run.fail(new SkeinError('copy_crashed', { model: suspect.run.entry.name }));
    else await this.#runAlone(suspect, view);
  }

  async #runAlone(suspect: Suspect, view: BackendView): Promise<void> {
    const { run } = suspect;
    const { entry, request } = run;
    try {
      const version = request.version ?? entry.newest;
      if (version === undefined) throw new SkeinError('model_unavailable', { model: entry.name });
      const late = new SkeinError('copy_crashed', { model: entry.name });
      const facts = await within(loadMs, view.session!.load(specOf(entry, version, true)), late);
      const copy = this.#fleet.applyCopy(view, facts);
      if (run.isOver) return; // its client left, or its deadline passed
      await new Promise<void>((resolve) => {
        this.#current = suspect;
        this.#onDone = resolve;
        run.sendTo(copy);
      });
    } catch (fault) {
      run.fail(new SkeinError('copy_crashed', { model: entry.name }, { cause: fault }));
    } finally {
      this.#current = undefined;
      this.#onDone = undefined;
    }
  }

  /** Undefined where it did not come up, or nobody here could start it. */
  async #connected(engine: EngineKind): Promise<BackendView | undefined> {
    let view = this.#views.get(engine);
    if (view === undefined) {
      try {
        view = this.#connector.add(await this.#processes.openApart(quarantineId(engine), engine));
      } catch {
        return undefined;
      }
      this.#views.set(engine, view);
    }
    const untilMs = performance.now() + connectMs;
    while (view.session === undefined) {
      if (performance.now() > untilMs) return undefined;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return view;
  }

  #closeProcesses(): void {
    if (this.#isRunning) return;
    for (const [engine, view] of this.#views) {
      this.#connector.remove(view.record.id);
      this.#processes.closeApart(quarantineId(engine));
    }
    this.#views.clear();
  }
}
