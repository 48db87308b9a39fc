import type { ProcessEnds } from '../../fleet/member-record.ts';
import type { EndTurn, FleetChanges, FleetListener, FleetSnapshot, Registry } from '../../fleet/registry.ts';
import type { ProcessEnd } from '../routing/process-end.ts';
import type { ProcessKeeper } from './process-keeper.ts';

/**
 * What watches over a process tells the registry of its end within milliseconds. Where it is gone, too, with its host or
 * the way to it, nobody says anything.
 */
const endToldWithinMs = 250;

/** An end that was told this long before its link was missed is the reason for it. */
const sameEndMs = 1_000;

/** A suspect whose turn has not come by then is tried without: it cannot be convicted then. */
const turnWithinMs = 3_000;

/** The processes of other hosts, as the registry tells of them. */
export class FleetProcesses implements ProcessKeeper, FleetListener {
  readonly #registry: Registry;
  readonly #counts = new Map<string, number>();
  readonly #seen = new Map<string, { readonly end: ProcessEnd; readonly atMs: number }>();
  readonly #waiting = new Map<string, Set<(end: ProcessEnd) => void>>();

  constructor(registry: Registry) {
    this.#registry = registry;
    registry.watch(this);
  }

  onChange({ backends }: FleetSnapshot, { backends: changed }: FleetChanges): void {
    for (const id of changed) {
      const ends = backends.get(id)?.ends;
      if (ends === undefined) this.#forget(id);
      else this.#note(id, ends);
    }
  }

  async endOf(backendId: string): Promise<ProcessEnd> {
    const seen = this.#seen.get(backendId);
    if (seen !== undefined && performance.now() - seen.atMs < sameEndMs) return seen.end;
    if (!this.#counts.has(backendId)) return { kind: 'elsewhere' }; // gone, or of a version that does not tell
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(backendId) ?? new Set();
      this.#waiting.set(backendId, waiting);
      const done = (end: ProcessEnd) => {
        clearTimeout(timer);
        waiting.delete(done);
        resolve(end);
      };
      const timer = setTimeout(() => done({ kind: 'elsewhere' }), endToldWithinMs);
      waiting.add(done);
    });
  }

  openApart(): Promise<never> {
    return Promise.reject(new Error('backends are not started by this router'));
  }

  closeApart(): void {}

  wake(): void {}

  /** Undefined, too, where the registry does not answer: no end is told of then either. */
  takeTurn(): Promise<EndTurn | undefined> {
    return this.#registry.takeTurn(turnWithinMs).catch(() => undefined);
  }

  #note(id: string, { count, signal, code }: ProcessEnds): void {
    const before = this.#counts.get(id);
    this.#counts.set(id, count);
    if (before === undefined || count <= before) return; // first heard of, or a new member of that name
    const end: ProcessEnd = signal === undefined ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal };
    this.#seen.set(id, { end, atMs: performance.now() });
    for (const tell of [...(this.#waiting.get(id) ?? [])]) tell(end);
  }

  #forget(id: string): void {
    this.#counts.delete(id);
    this.#seen.delete(id);
  }
}
