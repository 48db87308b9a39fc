import type { StoredEntry } from './catalogue-entry.ts';
import type { Conviction } from './conviction.ts';
import type { BackendMember, RouterMember } from './member-record.ts';
import type { FleetChanges, FleetListener, FleetSnapshot, RegistryStanding } from './registry.ts';
import type { TurnedAway } from './turned-away.ts';

/** One fact of the registry, in place or gone. */
export type FleetFact =
  | { readonly kind: 'entry'; readonly name: string; readonly value: StoredEntry | undefined }
  | { readonly kind: 'backend'; readonly name: string; readonly value: BackendMember | undefined }
  | { readonly kind: 'router'; readonly name: string; readonly value: RouterMember | undefined }
  | { readonly kind: 'drain'; readonly name: string; readonly value: true | undefined }
  | { readonly kind: 'conviction'; readonly name: string; readonly value: Conviction | undefined }
  | { readonly kind: 'turnedAway'; readonly name: string; readonly value: TurnedAway | undefined };

/** The picture that a member keeps of the fleet, and those who are told of its changes. */
export class FleetPicture implements FleetSnapshot {
  readonly entries = new Map<string, StoredEntry>();
  readonly backends = new Map<string, BackendMember>();
  readonly routers = new Map<string, RouterMember>();
  readonly drains = new Set<string>();
  readonly convictions = new Map<string, Conviction>();
  readonly turnedAway = new Map<string, TurnedAway>();
  readonly #listeners = new Set<FleetListener>();
  #standing: RegistryStanding = { kind: 'starting', reason: 'not reached yet', sinceMs: Date.now() };

  get standing(): RegistryStanding {
    return this.#standing;
  }

  watch(listener: FleetListener): () => void {
    this.#listeners.add(listener);
    listener.onStanding?.(this.#standing);
    listener.onChange(this, {
      entries: [...this.entries.keys()],
      backends: [...this.backends.keys()],
      routers: [...this.routers.keys()],
      drains: [...this.drains],
      convictions: [...this.convictions.keys()],
      turnedAway: [...this.turnedAway.keys()],
    });
    return () => this.#listeners.delete(listener);
  }

  /** Takes facts over, tells of them together. */
  apply(facts: readonly FleetFact[]): void {
    if (facts.length === 0) return;
    const names = (kind: FleetFact['kind']) => facts.filter((fact) => fact.kind === kind).map(({ name }) => name);
    for (const fact of facts) this.#take(fact);
    const changes: FleetChanges = {
      entries: names('entry'),
      backends: names('backend'),
      routers: names('router'),
      drains: names('drain'),
      convictions: names('conviction'),
      turnedAway: names('turnedAway'),
    };
    for (const listener of this.#listeners) listener.onChange(this, changes);
  }

  stand(kind: RegistryStanding['kind'], reason = ''): void {
    if (kind === this.#standing.kind && reason === this.#standing.reason) return;
    const sinceMs = kind === this.#standing.kind ? this.#standing.sinceMs : Date.now();
    this.#standing = { kind, reason, sinceMs };
    for (const listener of this.#listeners) listener.onStanding?.(this.#standing);
  }

  /** The facts that turn this picture into one of exactly `facts`. */
  difference(facts: readonly FleetFact[]): FleetFact[] {
    const gone: FleetFact[] = [];
    for (const kind of ['entry', 'backend', 'router', 'drain', 'conviction', 'turnedAway'] as const) {
      const there = new Set<string>();
      for (const fact of facts) if (fact.kind === kind) there.add(fact.name);
      for (const name of this.#namesOf(kind)) if (!there.has(name)) gone.push({ kind, name, value: undefined });
    }
    return [...gone, ...facts.filter((fact) => !this.#holds(fact))];
  }

  #holds({ kind, name, value }: FleetFact): boolean {
    if (kind === 'drain') return this.drains.has(name);
    if (kind === 'entry') return this.entries.get(name)?.revision === value?.revision;
    const known = this.#mapOf(kind).get(name);
    return JSON.stringify(known) === JSON.stringify(value);
  }

  #namesOf(kind: FleetFact['kind']): Iterable<string> {
    return kind === 'drain' ? this.drains : this.#mapOf(kind).keys();
  }

  #mapOf(kind: Exclude<FleetFact['kind'], 'drain'>): ReadonlyMap<string, unknown> {
    const { entries: entry, backends: backend, routers: router, convictions: conviction, turnedAway } = this;
    return { entry, backend, router, conviction, turnedAway }[kind];
  }

  #take(fact: FleetFact): void {
    if (fact.kind === 'entry') put(this.entries, fact.name, fact.value);
    else if (fact.kind === 'backend') put(this.backends, fact.name, fact.value);
    else if (fact.kind === 'router') put(this.routers, fact.name, fact.value);
    else if (fact.kind === 'conviction') put(this.convictions, fact.name, fact.value);
    else if (fact.kind === 'turnedAway') put(this.turnedAway, fact.name, fact.value);
    else if (fact.value === undefined) this.drains.delete(fact.name);
    else this.drains.add(fact.name);
  }
}

function put<V>(map: Map<string, V>, name: string, value: V | undefined): void {
  if (value === undefined) map.delete(name);
  else map.set(name, value);
}
