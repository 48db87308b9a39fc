import { setTimeout as sleep } from 'node:timers/promises';
import { type CatalogueEntry, readEntry } from '../../src/fleet/catalogue-entry.ts';
import { type Conviction, convictionName } from '../../src/fleet/conviction.ts';
import { type FleetFact, FleetPicture } from '../../src/fleet/fleet-picture.ts';
import { placeOf } from '../../src/fleet/member-place.ts';
import type { MemberRecord } from '../../src/fleet/member-record.ts';
import type {
  Announcement,
  AnnounceOptions,
  EndTurn,
  FleetListener,
  FleetSnapshot,
  Registry,
  RegistryStanding,
} from '../../src/fleet/registry.ts';
import { turnedAway, turnedAwayName } from '../../src/fleet/turned-away.ts';
import { SkeinError } from '../../src/protocol/errors.ts';

/**
 * A registry for tests, in memory: it keeps the contract that the one in etcd keeps. Everybody shares it, so nothing is
 * ever away and no lease runs out.
 */
export class MemoryRegistry implements Registry {
  readonly #picture = new FleetPicture();
  readonly #holders = new Map<string, { readonly instance: string; readonly onTaken: AnnounceOptions['onTaken'] }>();
  #revision = 0;
  #isTurnTaken = false;

  constructor() {
    this.#picture.stand('connected');
  }

  get snapshot(): FleetSnapshot {
    return this.#picture;
  }

  get standing(): RegistryStanding {
    return this.#picture.standing;
  }

  watch(listener: FleetListener): () => void {
    return this.#picture.watch(listener);
  }

  async announce(member: MemberRecord, { isAlive, onTaken }: AnnounceOptions): Promise<Announcement> {
    const { role, id, instance } = member;
    const key = `${role} ${id}`;
    const existing = role === 'backend' ? this.#picture.backends.get(id) : this.#picture.routers.get(id);
    if (existing !== undefined && existing.instance !== instance && (await isAlive(existing))) {
      this.#picture.apply([{ kind: 'turnedAway', name: turnedAwayName(member), value: turnedAway(member) }]);
      throw new SkeinError('member_taken', { role, id, where: placeOf(existing) });
    }
    this.#holders.get(key)?.onTaken(member);
    const holder = { instance, onTaken };
    this.#holders.set(key, holder);
    this.#picture.apply([factOf(member)]);
    const isMine = () => this.#holders.get(key) === holder;
    return {
      update: async (record) => {
        if (isMine()) this.#picture.apply([factOf(record)]);
      },
      withdraw: async () => {
        if (!isMine()) return;
        this.#holders.delete(key);
        this.#picture.apply([{ kind: role, name: id, value: undefined }]);
      },
    };
  }

  async putEntry(entry: CatalogueEntry, ifRevision?: number): Promise<number> {
    const checked = readEntry(entry);
    this.#expect(checked.name, ifRevision);
    const revision = ++this.#revision;
    this.#picture.apply([{ kind: 'entry', name: checked.name, value: { entry: checked, revision } }]);
    return revision;
  }

  async removeEntry(name: string, ifRevision?: number): Promise<void> {
    this.#expect(name, ifRevision);
    if (this.#picture.entries.has(name)) this.#picture.apply([{ kind: 'entry', name, value: undefined }]);
  }

  async setDrain(backendId: string, wanted: boolean): Promise<void> {
    if (this.#picture.drains.has(backendId) === wanted) return;
    this.#picture.apply([{ kind: 'drain', name: backendId, value: wanted ? true : undefined }]);
  }

  async convict(conviction: Conviction): Promise<void> {
    const name = convictionName(conviction);
    this.#picture.apply([{ kind: 'conviction', name, value: conviction }]);
    setTimeout(() => this.#picture.apply([{ kind: 'conviction', name, value: undefined }]), conviction.forMs).unref();
  }

  async takeTurn(withinMs: number): Promise<EndTurn | undefined> {
    for (const untilMs = performance.now() + withinMs; this.#isTurnTaken; await sleep(5)) {
      if (performance.now() >= untilMs) return undefined;
    }
    this.#isTurnTaken = true;
    return async () => {
      this.#isTurnTaken = false;
    };
  }

  decide(): Promise<void> {
    return Promise.reject(new SkeinError('registry_not_emptied'));
  }

  async close(): Promise<void> {}

  #expect(name: string, ifRevision: number | undefined): void {
    const revision = this.#picture.entries.get(name)?.revision ?? 0;
    if (ifRevision !== undefined && ifRevision !== revision) {
      throw new SkeinError('registry_conflict', { name, expected: ifRevision, found: revision });
    }
  }
}

function factOf(member: MemberRecord): FleetFact {
  return member.role === 'backend'
    ? { kind: 'backend', name: member.id, value: member }
    : { kind: 'router', name: member.id, value: member };
}
