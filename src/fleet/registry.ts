import type { CatalogueEntry, StoredEntry } from './catalogue-entry.ts';
import type { Conviction } from './conviction.ts';
import type { BackendMember, MemberRecord, RouterMember } from './member-record.ts';
import type { TurnedAway } from './turned-away.ts';

/**
 * Who is in the fleet and what is wanted of it. Members read their own picture of it and never ask the store while they
 * serve: a registry that is away delays changes and nothing else.
 */
export interface Registry {
  /** The picture as far as it is known. Its maps change in place; whoever watches is told of each change. */
  readonly snapshot: FleetSnapshot;
  readonly standing: RegistryStanding;
  /** Tells everything that is known at once, then each change. Returns what ends that. */
  watch(listener: FleetListener): () => void;
  /**
   * Makes a member known until it is withdrawn, or was not heard of for `ttlMs`. Rejects with `member_taken` where another
   * living process holds the name, and tells the fleet of it for a while.
   */
  announce(member: MemberRecord, options: AnnounceOptions): Promise<Announcement>;
  /**
   * Writes an entry; resolves with its revision. `ifRevision` is the one that it replaces, 0 for none; left out: whatever
   * is there. Rejects with `registry_conflict` where that does not hold.
   */
  putEntry(entry: CatalogueEntry, ifRevision?: number): Promise<number>;
  /** Rejects with `registry_conflict` where `ifRevision` does not hold. An entry that is not there is no fault. */
  removeEntry(name: string, ifRevision?: number): Promise<void>;
  /** An order to empty a backend, which outlives its process. */
  setDrain(backendId: string, wanted: boolean): Promise<void>;
  /** Tells every router of a request that ended two processes; it is forgotten after its time. */
  convict(conviction: Conviction): Promise<void>;
  /**
   * Waits until no other member has its turn to try what may end a process; resolves with what ends the turn, with
   * undefined where none came within `withinMs`. A turn ends by itself after a few seconds.
   */
  takeTurn(withinMs: number): Promise<EndTurn | undefined>;
  /**
   * What to do about a store that was emptied: `restore` writes what this member knows back into it, `accept` takes the
   * store as it is now. Rejects with `registry_not_emptied` where there is nothing to decide.
   */
  decide(decision: 'restore' | 'accept'): Promise<void>;
  close(): Promise<void>;
}

export type EndTurn = () => Promise<void>;

export interface FleetSnapshot {
  /** By name. */
  readonly entries: ReadonlyMap<string, StoredEntry>;
  readonly backends: ReadonlyMap<string, BackendMember>;
  readonly routers: ReadonlyMap<string, RouterMember>;
  /** Backends that an operator wants emptied. */
  readonly drains: ReadonlySet<string>;
  /** In force, by their own names. */
  readonly convictions: ReadonlyMap<string, Conviction>;
  /** Lately, by their own names. */
  readonly turnedAway: ReadonlyMap<string, TurnedAway>;
}

/** Names of what came, changed or went. */
export interface FleetChanges {
  readonly entries: readonly string[];
  readonly backends: readonly string[];
  readonly routers: readonly string[];
  readonly drains: readonly string[];
  readonly convictions: readonly string[];
  readonly turnedAway: readonly string[];
}

export interface FleetListener {
  onChange(snapshot: FleetSnapshot, changes: FleetChanges): void;
  onStanding?(standing: RegistryStanding): void;
}

/**
 * `starting`: not reached yet, nothing is known. `connected`: what is known is current. `away`: the store does not answer;
 * the last picture holds. `emptied`: the store has lost what it held; the last picture holds until an operator decides.
 */
export interface RegistryStanding {
  readonly kind: 'starting' | 'connected' | 'away' | 'emptied';
  /** Why; '' where it is connected. */
  readonly reason: string;
  /** Since when, of the wall clock. */
  readonly sinceMs: number;
}

export interface AnnounceOptions {
  readonly ttlMs: number;
  /** Whether the process behind a record of the same name lives: asked before the name is taken over. */
  readonly isAlive: (existing: MemberRecord) => Promise<boolean>;
  /** Another process has taken the name over; or, undefined, this one has it (again). */
  readonly onTaken: (by: MemberRecord | undefined) => void;
}

export interface Announcement {
  /** Replaces the record. */
  update(member: MemberRecord): Promise<void>;
  withdraw(): Promise<void>;
}
