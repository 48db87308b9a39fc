import { createHash } from 'node:crypto';
import { SkeinError } from '../../protocol/errors.ts';
import { blamesRequests, type ProcessEnd } from '../routing/process-end.ts';
import type { InFlightRequest, Quarantine } from '../routing/quarantine.ts';
import type { ConvictionDesk } from './conviction-desk.ts';
import type { CopyView } from './copy-view.ts';
import type { ModelIsolation } from './model-isolation.ts';
import type { ProcessKeeper } from './process-keeper.ts';
import type { RequestRun } from './request-run.ts';
import type { SuspectRunner } from './suspect-runner.ts';

interface LostRun {
  readonly run: RequestRun;
  readonly error: SkeinError;
  /** The crash that it was a suspect of, where this was its run alone. */
  readonly triedFor: symbol | undefined;
}

/** A request that was in so many lost backends of other hosts is not tried on a further one: it may be what ends them. */
const mostLosses = 2;

/**
 * Finds out why a backend was lost, and what becomes of the requests that were in it: those of a process that was ended
 * from outside go on elsewhere; those of one that crashed are suspects, and are tried once more alone.
 */
export class CrashInquiry {
  readonly #quarantine: Quarantine;
  readonly #convictions: ConvictionDesk;
  readonly #processes: ProcessKeeper;
  readonly #suspects: SuspectRunner;
  readonly #isolation: ModelIsolation;
  readonly #log: (message: string, facts: Record<string, unknown>) => void;
  /** Runs of one lost backend are judged together: their errors all come in one turn of the event loop. */
  readonly #lost = new Map<string, LostRun[]>();

  constructor(
    quarantine: Quarantine,
    convictions: ConvictionDesk,
    processes: ProcessKeeper,
    suspects: SuspectRunner,
    isolation: ModelIsolation,
    log: (message: string, facts: Record<string, unknown>) => void,
  ) {
    this.#quarantine = quarantine;
    this.#convictions = convictions;
    this.#processes = processes;
    this.#suspects = suspects;
    this.#isolation = isolation;
    this.#log = log;
  }

  onLost(run: RequestRun, copy: CopyView, error: SkeinError): void {
    const { record } = copy.backend;
    if (record.kind !== 'skein') {
      run.retry(error); // a server of somebody else's: its process is not ours to judge
      return;
    }
    const lost = { run, error, triedFor: this.#suspects.triedFor(run) };
    if (lost.triedFor !== undefined) this.#suspects.finished(run);
    const others = this.#lost.get(record.id);
    if (others !== undefined) others.push(lost);
    else {
      this.#lost.set(record.id, [lost]);
      void this.#inquire(record.id);
    }
  }

  /** True where bodies of this model must be asked about before they are sent: one of them was convicted. */
  watches(model: string, nowMs: number): boolean {
    return this.#quarantine.watches(model, nowMs);
  }

  /** The conviction that this body would run into, as an error; undefined where it may run. */
  refusalOf(model: string, pieces: readonly Uint8Array[]): SkeinError | undefined {
    const forMs = this.#convictions.refusedForMs(model, 'body', hashOf(pieces));
    return forMs === 0 ? undefined : convictedError(model, forMs);
  }

  async #inquire(backendId: string): Promise<void> {
    const end = await this.#processes.endOf(backendId);
    const lost = this.#lost.get(backendId) ?? [];
    this.#lost.delete(backendId);
    const blamed = blamesRequests(end);
    const isFleet = this.#processes.takeTurn !== undefined;
    // Out of memory looks like an operator's SIGKILL: in a fleet the next process to meet it is another host's.
    if (end.kind === 'elsewhere' || (isFleet && !blamed)) {
      this.#retryElsewhere(backendId, end, lost);
      return;
    }
    const inFlight = lost.map(
      ({ run, triedFor }, i): InFlightRequest => ({
        requestId: String(i),
        model: run.entry.name,
        alone: triedFor !== undefined,
      }),
    );
    const nowMs = performance.now();
    const verdicts = this.#quarantine.processEnded(end, inFlight, nowMs);
    this.#log('requests of a lost backend', { backend: backendId, end, requests: lost.length, blamed });
    for (const entry of new Set(lost.map(({ run }) => run.entry))) {
      if (blamed && !isFleet && this.#quarantine.isIsolated(entry.name, nowMs)) void this.#isolation.isolate(entry);
    }
    const crash = Symbol(backendId);
    lost.forEach(({ run, error, triedFor }, i) => {
      const refusal = () => this.refusalOf(run.entry.name, run.request.body.pieces);
      const verdict = verdicts.get(String(i))!;
      if (run.isOver) return;
      if (verdict === 'retry') run.retry(error);
      else if (!run.request.body.isReplayable) run.fail(new SkeinError('copy_crashed', { model: run.entry.name }));
      else if (verdict === 'retry_alone') this.#suspects.add({ run, error, crash, refusal });
      else {
        this.#convict(run);
        this.#suspects.spareOthers(triedFor!);
      }
    });
  }

  /** Of another host: it was ended, or nobody can say why it went. Its requests go on, unless they have seen that before. */
  #retryElsewhere(backendId: string, end: ProcessEnd, lost: readonly LostRun[]): void {
    this.#log('requests of a lost backend', { backend: backendId, end, requests: lost.length });
    for (const { run, error } of lost) {
      run.losses++;
      if (run.losses < mostLosses) run.retry(error);
      else if (!run.isOver) this.#giveUp(run, lost.length === 1);
    }
  }

  /** One that was alone in the last of them is refused for a while, however often it comes again. */
  #giveUp(run: RequestRun, wasAlone: boolean): void {
    if (wasAlone && run.request.body.isReplayable) this.#convict(run);
    else run.fail(new SkeinError('copy_crashed', { model: run.entry.name }));
  }

  #convict(run: RequestRun): void {
    const { name } = run.entry;
    const { pieces } = run.request.body;
    this.#convictions.convict(name, 'body', hashOf(pieces));
    run.fail(this.refusalOf(name, pieces)!);
  }
}

function convictedError(model: string, forMs: number): SkeinError {
  return new SkeinError('request_convicted', { model, seconds: Math.ceil(forMs / 1000) });
}

function hashOf(pieces: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('base64');
}
