import { SkeinError } from '../../protocol/errors.ts';
import { type CatalogueEntry, readEntry } from '../catalogue-entry.ts';
import { type Conviction, convictionName } from '../conviction.ts';
import { FleetPicture } from '../fleet-picture.ts';
import { withLater } from '../later-members.ts';
import type { MemberRecord } from '../member-record.ts';
import type {
  Announcement,
  AnnounceOptions,
  EndTurn,
  FleetListener,
  FleetSnapshot,
  Registry,
  RegistryStanding,
} from '../registry.ts';
import { toldForMs, turnedAway, turnedAwayName } from '../turned-away.ts';
import { EtcdClient, type EtcdClientOptions } from './etcd-client.ts';
import { decodeBytes, encodeBytes, type Transaction } from './etcd-messages.ts';
import { KeySpace } from './key-space.ts';
import { MemberLease } from './member-lease.ts';
import type { RegistryLog } from './registry-log.ts';
import { StoreFollower } from './store-follower.ts';
import { takeTurn } from './turn.ts';
import { WriteQueue } from './write-queue.ts';

export interface EtcdRegistryOptions extends EtcdClientOptions {
  /** Begins every key of the fleet; ends with a slash. */
  readonly prefix: string;
  readonly log: RegistryLog;
}

/** The registry of a fleet: an etcd cluster. Reading it is watching it; nothing is asked of it while requests are served. */
export class EtcdRegistry implements Registry {
  readonly #picture = new FleetPicture();
  readonly #client: EtcdClient;
  readonly #keys: KeySpace;
  readonly #writes: WriteQueue;
  readonly #follower: StoreFollower;
  readonly #leases = new Map<string, MemberLease>();

  constructor(options: EtcdRegistryOptions) {
    this.#client = new EtcdClient(options);
    this.#keys = new KeySpace(options.prefix);
    this.#writes = new WriteQueue(this.#client, this.#keys.removals);
    this.#follower = new StoreFollower(this.#client, this.#keys, this.#picture, options.log);
    this.#picture.watch({
      onChange: (snapshot, { backends, routers }) => {
        for (const id of backends) this.#leases.get(`backend ${id}`)?.onSeen(snapshot.backends.get(id));
        for (const id of routers) this.#leases.get(`router ${id}`)?.onSeen(snapshot.routers.get(id));
      },
    });
    this.#follower.start();
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

  async announce(member: MemberRecord, options: AnnounceOptions): Promise<Announcement> {
    const { role, id } = member;
    const lease = await MemberLease.begin(this.#client, this.#keys.keyOf(role, id), member, options).catch((fault) =>
      this.#tellTurnedAway(member, fault),
    );
    this.#leases.set(`${role} ${id}`, lease);
    return lease;
  }

  async putEntry(entry: CatalogueEntry, ifRevision?: number): Promise<number> {
    const checked = readEntry(entry);
    const { name } = checked;
    const text = JSON.stringify(withLater(checked, this.#picture.entries.get(name)));
    const key = encodeBytes(this.#keys.keyOf('entry', name));
    const put: Transaction = {
      ...compareRevision(key, ifRevision),
      success: [{ request_put: { key, value: encodeBytes(text) } }],
      failure: [{ request_range: { key } }],
    };
    this.#refuseWhereWritesCannotHold();
    const { succeeded, header, responses } = await this.#writes.write(name, put);
    if (succeeded === true) return Number(header.revision);
    const [found] = responses?.[0]?.response_range?.kvs ?? [];
    // Written already, by a try whose answer was lost or by somebody who wants the same.
    if (found !== undefined && decodeBytes(found.value) === text) return Number(found.mod_revision);
    throw conflict(name, ifRevision, Number(found?.mod_revision ?? 0));
  }

  async removeEntry(name: string, ifRevision?: number): Promise<void> {
    const key = encodeBytes(this.#keys.keyOf('entry', name));
    const removal: Transaction = {
      ...compareRevision(key, ifRevision),
      success: [{ request_delete_range: { key } }],
      failure: [{ request_range: { key } }],
    };
    this.#refuseWhereWritesCannotHold();
    const { succeeded, responses } = await this.#writes.write(name, removal, true);
    if (succeeded === true) return;
    const [found] = responses?.[0]?.response_range?.kvs ?? [];
    if (found !== undefined || ifRevision !== 0) throw conflict(name, ifRevision, Number(found?.mod_revision ?? 0));
  }

  async setDrain(backendId: string, wanted: boolean): Promise<void> {
    const key = encodeBytes(this.#keys.keyOf('drain', backendId));
    const value = encodeBytes(JSON.stringify({ sinceMs: Date.now() }));
    this.#refuseWhereWritesCannotHold();
    await this.#writes.write(`drain ${backendId}`, {
      success: [wanted ? { request_put: { key, value } } : { request_delete_range: { key } }],
    });
  }

  async convict(conviction: Conviction): Promise<void> {
    this.#refuseWhereWritesCannotHold();
    const key = this.#keys.keyOf('conviction', convictionName(conviction));
    await this.#putFor(conviction.forMs, key, conviction);
  }

  takeTurn(withinMs: number): Promise<EndTurn | undefined> {
    return takeTurn(this.#client, this.#keys.turn, withinMs);
  }

  decide(decision: 'restore' | 'accept'): Promise<void> {
    return decision === 'accept' ? this.#follower.accept() : this.#follower.restore(this.#writes);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#leases.values()].map((lease) => lease.withdraw()));
    this.#follower.stop();
    this.#client.close();
  }

  /** Its own log says so, too; whoever looks at the fleet sees no other. */
  async #tellTurnedAway(member: MemberRecord, fault: unknown): Promise<never> {
    if (SkeinError.from(fault).code === 'member_taken') {
      const key = this.#keys.keyOf('turnedAway', turnedAwayName(member));
      await this.#putFor(toldForMs, key, turnedAway(member)).catch(() => {}); // it is turned away in any case
    }
    throw fault;
  }

  async #putFor(forMs: number, key: string, value: unknown): Promise<void> {
    const TTL = String(Math.max(1, Math.ceil(forMs / 1_000)));
    const { ID: lease } = await this.#client.call<{ ID: string }>('/lease/grant', { TTL });
    await this.#client.call('/kv/put', { key: encodeBytes(key), value: encodeBytes(JSON.stringify(value)), lease });
  }

  /** A change to a store that was emptied would be lost, or would hide that it was. */
  #refuseWhereWritesCannotHold(): void {
    if (this.standing.kind === 'emptied') throw new SkeinError('registry_emptied', { reason: this.standing.reason });
    if (this.#writes.isFull) throw new SkeinError('registry_unreachable', { reason: 'too many changes wait for it' });
  }
}

function compareRevision(key: string, ifRevision: number | undefined): Pick<Transaction, 'compare'> {
  if (ifRevision === undefined) return {};
  return { compare: [{ key, target: 'MOD', result: 'EQUAL', mod_revision: String(ifRevision) }] };
}

function conflict(name: string, expected: number | undefined, found: number): SkeinError {
  return new SkeinError('registry_conflict', { name, expected: expected ?? 0, found });
}
