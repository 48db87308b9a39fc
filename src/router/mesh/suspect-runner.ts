import { SkeinError } from '../../protocol/errors.ts';
import type { BackendConnector } from './backend-connector.ts';
import type { BackendView } from './backend-view.ts';
import { specOf } from './cold-starts.ts';
import type { FleetView } from './fleet-view.ts';
import type { ProcessKeeper } from './process-keeper.ts';
import type { RequestRun } from './request-run.ts';

interface Suspect {
  readonly run: RequestRun;
  /** A conviction of the same body that came since. */
  readonly refusal: () => SkeinError | undefined;
}

const quarantineId = 'quarantine';

/** More suspects than this are answered with the crash itself: a retry that waits for ever helps nobody. */
const maxSuspects = 256;

/** The quarantine process costs memory: it goes when it was not needed for so long. */
const idleMs = 60_000;

/** How long a suspect waits for the quarantine process, which may have just crashed itself. */
const connectMs = 15_000;

/** Runs suspects one after the other, each alone in a process that serves nobody else. */
export class SuspectRunner {
  readonly #fleet: FleetView;
  readonly #connector: BackendConnector;
  readonly #processes: ProcessKeeper;
  readonly #queue: Suspect[] = [];
  #current: RequestRun | undefined;
  #onDone: (() => void) | undefined;
  #isRunning = false;
  #view: BackendView | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(fleet: FleetView, connector: BackendConnector, processes: ProcessKeeper) {
    this.#fleet = fleet;
    this.#connector = connector;
    this.#processes = processes;
  }

  isAlone(run: RequestRun): boolean {
    return this.#current === run;
  }

  add(run: RequestRun, refusal: () => SkeinError | undefined): void {
    if (this.#queue.length >= maxSuspects) {
      run.fail(new SkeinError('copy_crashed', { model: run.entry.name }));
      return;
    }
    this.#queue.push({ run, refusal });
    if (!this.#isRunning) void this.#runAll();
  }

  /** The run has its answer, or its process is lost: the next suspect may go. */
  finished(run: RequestRun): void {
    if (this.#current === run) this.#onDone?.();
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    clearTimeout(this.#idleTimer);
    for (let suspect = this.#queue.shift(); suspect !== undefined; suspect = this.#queue.shift()) {
      const refusal = suspect.refusal();
      if (refusal !== undefined) suspect.run.fail(refusal);
      else await this.#runAlone(suspect.run);
    }
    this.#isRunning = false;
    this.#idleTimer = setTimeout(() => this.#closeProcess(), idleMs).unref();
  }

  async #runAlone(run: RequestRun): Promise<void> {
    const { entry, request } = run;
    try {
      const view = await this.#connected();
      const version = request.version ?? entry.newest;
      if (version === undefined) throw new SkeinError('model_unavailable', { model: entry.name });
      const facts = await view.session!.load(specOf(entry, version, true));
      const copy = this.#fleet.applyCopy(view, facts);
      await new Promise<void>((resolve) => {
        this.#current = run;
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

  async #connected(): Promise<BackendView> {
    this.#view ??= this.#connector.add(await this.#processes.openApart(quarantineId));
    const view = this.#view;
    const untilMs = performance.now() + connectMs;
    while (view.session === undefined) {
      if (performance.now() > untilMs) throw new Error('the quarantine process did not come up');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return view;
  }

  #closeProcess(): void {
    if (this.#view === undefined || this.#isRunning) return;
    this.#connector.remove(this.#view.record.id);
    this.#view = undefined;
    this.#processes.closeApart(quarantineId);
  }
}
