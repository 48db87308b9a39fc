import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '../../protocol/errors.ts';
import { diffRepository, isUnchanged, settled } from './diff-repository.ts';
import type { SeenFile } from './file-stamp.ts';
import type { RepositoryChanges, RepositoryNotice, RepositorySnapshot } from './repository-model.ts';
import type { RepositoryScan, ScanPart } from './scan.ts';
import { StatRound } from './stat-round.ts';

interface RepositoryParts {
  /** The directory of which each model is a part. */
  readonly root: string;
  readonly scan: (previous: RepositoryScan, part: ScanPart) => Promise<RepositoryScan>;
}

export interface RepositoryWatchOptions {
  /** One look at everything: scanRepository or scanFiles with their arguments bound. */
  readonly scan: (previous: RepositoryScan | undefined) => Promise<RepositoryScan>;
  /** The same of a part; left out: there is little enough to look at all of it each time. */
  readonly parts?: RepositoryParts;
  /** In so long everything is looked at once more; 0: only when `poll` is called. */
  readonly pollMs: number;
  /** How long a change must stay as it is to be handed on, so that a file that is being copied is not loaded half. */
  readonly settleMs: number;
  readonly onChange: (changes: RepositoryChanges, snapshot: RepositorySnapshot) => void;
  /** Each notice, and each problem of a model, once for as long as it lasts. */
  readonly onNotice: (notice: RepositoryNotice) => void;
  /** For tests: instead of a timer. Rejects when `signal` aborts. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A large repository is looked at in parts, so often: each time at what came or went, and at the next few models. */
const partEveryMs = 500;

/** A model that changed is looked at each time for so long: somebody may still be copying its files. */
const restlessMs = 10_000;
const mostRestless = 256;

/**
 * Looks at a model repository again and again and hands on what changed. A repository that cannot be read keeps its models:
 * a mount that goes away for a moment must not unload a fleet.
 */
export class RepositoryWatch {
  readonly #options: RepositoryWatchOptions;
  readonly #closing = new AbortController();
  readonly #told = new Set<string>();
  /** Of what changed lately, until when. */
  readonly #restless = new Map<string, number>();
  #scan: RepositoryScan | undefined;
  /** Looks follow one another, each from what the last one found. */
  #last: Promise<unknown> = Promise.resolve();
  /** Something that was seen is not believed yet. */
  #isBehind = false;
  readonly #round: StatRound | undefined;
  #snapshot: RepositorySnapshot = { models: new Map(), notices: [] };
  #underway: Promise<void> | undefined;

  constructor(options: RepositoryWatchOptions) {
    this.#options = options;
    this.#round = options.parts && new StatRound(options.parts.root);
  }

  get snapshot(): RepositorySnapshot {
    return this.#snapshot;
  }

  /** The first look, which may fail, and then one every `pollMs`. */
  async start(): Promise<RepositorySnapshot> {
    const scan = await this.#options.scan(undefined);
    this.#scan = scan;
    this.#round?.leave(scan.models.keys());
    this.#snapshot = { models: scan.models, notices: scan.notices };
    this.#tell();
    if (this.#options.pollMs > 0) void this.#repeat();
    return this.#snapshot;
  }

  /** A look now; joins the one that is under way. Never rejects. */
  poll(): Promise<void> {
    this.#underway ??= this.#look(undefined).finally(() => {
      this.#underway = undefined;
    });
    return this.#underway;
  }

  /** Looks at one model now, and believes what it sees: whoever asks for it has copied its files. Never rejects. */
  async look(name: string): Promise<void> {
    if (this.#options.parts === undefined) return this.poll();
    try {
      const scan = await this.#next({ names: [name], news: false });
      const models = new Map(this.#snapshot.models);
      const model = scan.models.get(name);
      if (model === undefined) models.delete(name);
      else models.set(name, model);
      this.#report({ models, notices: scan.notices });
    } catch (fault) {
      this.#tellOnce({ name: '.', reason: SkeinError.from(fault).message });
    }
  }

  close(): void {
    this.#closing.abort();
  }

  async #repeat(): Promise<void> {
    const { pollMs } = this.#options;
    const round = this.#round;
    const tickMs = round === undefined ? pollMs : Math.min(pollMs, partEveryMs);
    for (let atMs = performance.now(); await this.#wait(tickMs); ) {
      const nowMs = performance.now();
      if (round === undefined) await this.poll();
      else {
        const names = await round.next((nowMs - atMs) / pollMs);
        await this.#look({ names: [...this.#restlessAt(nowMs), ...names], news: true });
      }
      atMs = nowMs;
    }
  }

  #restlessAt(nowMs: number): Iterable<string> {
    for (const [name, untilMs] of this.#restless) if (untilMs <= nowMs) this.#restless.delete(name);
    return this.#restless.keys();
  }

  #next(part: ScanPart | undefined): Promise<RepositoryScan> {
    const { scan, parts } = this.#options;
    const look = this.#last.then(async () => {
      const before = this.#scan;
      if (part === undefined || before === undefined || parts === undefined) {
        this.#scan = await scan(before);
        this.#round?.leave(this.#scan.models.keys());
        return this.#scan;
      }
      const seen = new Map<string, readonly SeenFile[]>();
      this.#scan = await parts.scan(before, { ...part, seen });
      this.#round?.note(seen, this.#scan.models);
      return this.#scan;
    });
    this.#last = look.catch(() => {});
    return look;
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

  async #look(part: ScanPart | undefined): Promise<void> {
    const { settleMs, parts } = this.#options;
    try {
      const before = this.#scan;
      const first = await this.#next(part);
      if (part !== undefined && first === before && !this.#isBehind) return;
      const changes = diffRepository(this.#snapshot, first);
      this.#isBehind = true;
      let scan = first;
      let models = first.models;
      if (settleMs > 0 && !isUnchanged(changes)) {
        const names = namesIn(changes);
        this.#keepAnEyeOn(names);
        if (!(await this.#wait(settleMs))) return;
        scan = await this.#next(parts && { names, news: false });
        models = settled(this.#snapshot, first, scan);
      }
      this.#report({ models, notices: scan.notices });
      this.#isBehind = models !== scan.models && !isUnchanged(diffRepository(this.#snapshot, scan));
    } catch (fault) {
      const error = SkeinError.from(fault);
      this.#tellOnce({ name: '.', reason: error.message });
    }
  }

  #keepAnEyeOn(names: readonly string[]): void {
    for (const name of names.slice(0, mostRestless)) {
      this.#restless.delete(name);
      this.#restless.set(name, performance.now() + restlessMs);
    }
    for (const oldest of this.#restless.keys()) {
      if (this.#restless.size <= mostRestless) break;
      this.#restless.delete(oldest);
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

function namesIn({ added, changed, removed }: RepositoryChanges): string[] {
  return [...added, ...changed].map(({ name }) => name).concat(removed);
}

function keyOf({ name, reason }: RepositoryNotice): string {
  return `${name}\n${reason}`;
}
