import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '../../protocol/errors.ts';
import { diffRepository, isUnchanged, settled } from './diff-repository.ts';
import type { RepositoryChanges, RepositoryNotice, RepositorySnapshot } from './repository-model.ts';
import type { RepositoryScan } from './scan.ts';

export interface RepositoryWatchOptions {
  /** One look at everything: scanRepository or scanFiles with their arguments bound. */
  readonly scan: (previous: RepositoryScan | undefined) => Promise<RepositoryScan>;
  /** From the end of one look to the next; 0: only when `poll` is called. */
  readonly pollMs: number;
  /** How long a change must stay as it is to be handed on, so that a file that is being copied is not loaded half. */
  readonly settleMs: number;
  readonly onChange: (changes: RepositoryChanges, snapshot: RepositorySnapshot) => void;
  /** Each notice, and each problem of a model, once for as long as it lasts. */
  readonly onNotice: (notice: RepositoryNotice) => void;
  /** For tests: instead of a timer. Rejects when `signal` aborts. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Looks at a model repository again and again and hands on what changed. A repository that cannot be read keeps its models:
 * a mount that goes away for a moment must not unload a fleet.
 */
export class RepositoryWatch {
  readonly #options: RepositoryWatchOptions;
  readonly #closing = new AbortController();
  readonly #told = new Set<string>();
  #scan: RepositoryScan | undefined;
  #snapshot: RepositorySnapshot = { models: new Map(), notices: [] };
  #underway: Promise<void> | undefined;

  constructor(options: RepositoryWatchOptions) {
    this.#options = options;
  }

  get snapshot(): RepositorySnapshot {
    return this.#snapshot;
  }

  /** The first look, which may fail, and then one every `pollMs`. */
  async start(): Promise<RepositorySnapshot> {
    const scan = await this.#options.scan(undefined);
    this.#scan = scan;
    this.#snapshot = { models: scan.models, notices: scan.notices };
    this.#tell();
    if (this.#options.pollMs > 0) void this.#repeat();
    return this.#snapshot;
  }

  /** A look now; joins the one that is under way. Never rejects. */
  poll(): Promise<void> {
    this.#underway ??= this.#look().finally(() => {
      this.#underway = undefined;
    });
    return this.#underway;
  }

  close(): void {
    this.#closing.abort();
  }

  async #repeat(): Promise<void> {
    while (await this.#wait(this.#options.pollMs)) await this.poll();
  }

  /** False when the watch was closed meanwhile. */
  async #wait(ms: number): Promise<boolean> {
    const { signal } = this.#closing;
    const wait = this.#options.wait ?? ((time) => delay(time, undefined, { signal, ref: false }));
    try {
      await wait(ms, signal);
    } catch {
      // Only closing ends a wait early.
    }
    return !signal.aborted;
  }

  async #look(): Promise<void> {
    try {
      const first = await this.#options.scan(this.#scan);
      this.#scan = first;
      let models = first.models;
      if (this.#options.settleMs > 0 && !isUnchanged(diffRepository(this.#snapshot, first))) {
        if (!(await this.#wait(this.#options.settleMs))) return;
        const second = await this.#options.scan(first);
        this.#scan = second;
        models = settled(this.#snapshot, first, second);
      }
      this.#report({ models, notices: this.#scan.notices });
    } catch (fault) {
      const error = SkeinError.from(fault);
      this.#tellOnce({ name: '.', reason: error.message });
    }
  }

  #report(snapshot: RepositorySnapshot): void {
    if (this.#closing.signal.aborted) return;
    const changes = diffRepository(this.#snapshot, snapshot);
    this.#snapshot = snapshot;
    this.#tell();
    if (!isUnchanged(changes)) this.#options.onChange(changes, snapshot);
  }

  /** What is over may be told again when it comes back. */
  #tell(): void {
    const current = currentNotices(this.#snapshot);
    const keys = new Set(current.map(keyOf));
    for (const key of this.#told) if (!keys.has(key)) this.#told.delete(key);
    for (const notice of current) this.#tellOnce(notice);
  }

  #tellOnce(notice: RepositoryNotice): void {
    const key = keyOf(notice);
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#options.onNotice(notice);
  }
}

function currentNotices({ models, notices }: RepositorySnapshot): RepositoryNotice[] {
  const problems = [...models.values()].flatMap(({ name, problem }) =>
    problem === undefined ? [] : [{ name, reason: problem }],
  );
  return [...notices, ...problems];
}

function keyOf({ name, reason }: RepositoryNotice): string {
  return `${name}\n${reason}`;
}
