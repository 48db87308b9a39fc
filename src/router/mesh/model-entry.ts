import type { ModelRecord } from '../../fleet/catalogue-entry.ts';
import type { RepositoryModel } from '../../fleet/repository/repository-model.ts';
import type { CopyFacts } from '../../protocol/link/messages.ts';
import type { CopyView } from './copy-view.ts';
import { LoadFailures } from './load-failures.ts';
import { RequestRate } from './request-rate.ts';

/** What is kept only of models that were asked for: there may be ten thousand that never are. */
class ModelActivity {
  readonly copies = new Set<CopyView>();
  readonly rate = new RequestRate();
  readonly failures = new LoadFailures();
  /** Stamp of each version when it was last ready. */
  readonly #served = new Map<number, string>();
  /** Resident size and load time when it was last loaded; 0: never. */
  residentBytes = 0;
  loadMs = 0;
  lastVersion = 0;
  /** It keeps crashing its process: the backend that it has to itself. */
  isolatedOn: string | undefined;
  /** Requests since the scaler last looked, and whether it looks at all. */
  arrivals = 0;
  isWatched = false;
  /** Ready copies by version asked for; rebuilt when copies change. */
  #ready = new Map<number | undefined, readonly CopyView[]>();

  noteReady({ version, stamp, residentBytes, loadMs }: CopyFacts): void {
    this.residentBytes = residentBytes;
    this.loadMs = loadMs;
    this.lastVersion = version;
    this.#served.set(version, stamp);
  }

  /** It has been ready with these files, so that it can be loaded again. */
  hasServed(version: number, stamp: string): boolean {
    return this.#served.get(version) === stamp;
  }

  forgetReady(): void {
    if (this.#ready.size > 0) this.#ready = new Map();
  }

  /** Ready copies for a request that names `version`, or none. Remembered: asked once a request, changed seldom. */
  ready(entry: ModelEntry, version: number | undefined): readonly CopyView[] {
    let copies = this.#ready.get(version);
    if (copies === undefined) {
      copies = findReady(entry, [...this.copies], version);
      this.#ready.set(version, copies);
    }
    return copies;
  }
}

const noLabels: ReadonlyMap<string, number> = new Map();

/** One model of the catalogue. */
export class ModelEntry {
  readonly name: string;
  readonly #isPinned: boolean;
  /** What the fleet's catalogue says of it; undefined where it comes from elsewhere. */
  record: ModelRecord | undefined;
  /** Undefined for a model that only external servers have. */
  repository: RepositoryModel | undefined;
  /** External servers that were declared to have it, by backend id. */
  external: Set<string> | undefined;
  /** Replaces config.pbtxt, from the repository API. */
  configOverride: string | undefined;
  /** Taken out of service by request. */
  isUnloaded = false;
  activity: ModelActivity | undefined;

  constructor(name: string, isPinned = false) {
    this.name = name;
    this.#isPinned = isPinned;
  }

  /** Never evicted. */
  get isPinned(): boolean {
    return this.#isPinned || this.record?.pinned === true;
  }

  get versions(): readonly number[] {
    return this.repository?.versions ?? [];
  }

  /** Names that stand for versions. */
  get labels(): ReadonlyMap<string, number> {
    return this.repository?.labels ?? noLabels;
  }

  get newest(): number | undefined {
    return this.versions.at(-1);
  }

  /** Changes with anything that the model is made of. */
  get stamp(): string {
    return this.#withOverride(this.repository?.stamp ?? '');
  }

  /** What a copy of this version must carry to be current. */
  stampOf(version: number): string {
    const at = this.versions.indexOf(version);
    return this.#withOverride(at < 0 ? '' : this.repository!.versionStamps[at]!);
  }

  #withOverride(stamp: string): string {
    return this.configOverride === undefined ? stamp : `${stamp}+${this.configOverride}`;
  }

  /** What to load for a request that names `version`, or none. A server of somebody else's chooses by itself: 0. */
  versionToLoad(version: number | undefined): number | undefined {
    const isForeign = this.repository === undefined && this.external !== undefined;
    return version ?? this.newest ?? (isForeign ? 0 : undefined);
  }

  /** Why a request for `version`, or none, is not tried: nothing can be loaded. What is loaded goes on serving. */
  problemFor(version: number | undefined): string | undefined {
    const problem = this.repository?.problem;
    if (problem === undefined || (this.activity?.ready(this, version).length ?? 0) > 0) return undefined;
    return problem;
  }

  active(): ModelActivity {
    this.activity ??= new ModelActivity();
    return this.activity;
  }

  /** Somebody offers it: a repository, or a server of somebody else's. It may have copies left when nobody does any more. */
  get isOffered(): boolean {
    return this.repository !== undefined || this.external !== undefined;
  }

  serves(version: number): boolean {
    return this.versions.includes(version) || this.external !== undefined;
  }
}

/**
 * Copies that answer for `version`: those of the newest stamp, else older ones, which go on serving until their successor
 * is ready. Without a version the newest that is ready and served counts; one that the policy no longer serves comes last.
 * Where the newest version has served already and has only been evicted, no older one stands in for it: who names no
 * version wants the newest, and which answer comes must not depend on what is in memory.
 */
function findReady(entry: ModelEntry, copies: readonly CopyView[], version: number | undefined): readonly CopyView[] {
  const alone = entry.activity?.isolatedOn;
  const ready = copies.filter(
    ({ isReady, backend }) => isReady && (backend.record.apart ? backend.record.id : undefined) === alone,
  );
  const ofVersion = (wanted: number | undefined) => ready.filter((copy) => copy.facts.version === wanted);
  let found: readonly CopyView[] = [];
  if (version !== undefined) found = ofVersion(version);
  else {
    if (mustWaitForNewest(entry, ready)) return [];
    const served = ready.map((copy) => copy.facts.version);
    const newest = Math.max(...served.filter((candidate) => entry.serves(candidate)));
    found = ofVersion(newest === -Infinity ? Math.max(...served) : newest);
  }
  const current = found.filter((copy) => copy.facts.stamp === entry.stampOf(copy.facts.version));
  return stayingFirst(current.length > 0 ? current : found);
}

/** A backend that drains is asked only for what is nowhere else. */
function stayingFirst(copies: readonly CopyView[]): readonly CopyView[] {
  const staying = copies.filter(({ isLeaving }) => !isLeaving);
  return staying.length > 0 ? staying : copies;
}

function mustWaitForNewest(entry: ModelEntry, ready: readonly CopyView[]): boolean {
  const { newest, activity } = entry;
  if (newest === undefined || activity === undefined || ready.some((copy) => copy.facts.version === newest))
    return false;
  const stamp = entry.stampOf(newest);
  return activity.hasServed(newest, stamp) && activity.failures.last(newest, stamp) === undefined;
}
