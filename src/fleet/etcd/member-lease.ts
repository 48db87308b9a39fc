import { SkeinError } from '../../protocol/errors.ts';
import { placeOf } from '../member-place.ts';
import { type MemberRecord, readMember } from '../member-record.ts';
import type { Announcement, AnnounceOptions } from '../registry.ts';
import type { EtcdClient } from './etcd-client.ts';
import { decodeBytes, encodeBytes, type KeyValue, type TransactionAnswer } from './etcd-messages.ts';

/** Keep-alives in the time to live: two of them may be lost. */
const beatsATtl = 3;

/** A member's record under a lease: kept alive, written again after the lease was lost, guarded against another's. */
export class MemberLease implements Announcement {
  readonly #client: EtcdClient;
  readonly #key: string;
  readonly #options: AnnounceOptions;
  #member: MemberRecord;
  #leaseId = '';
  #timer: NodeJS.Timeout | undefined;
  #isWithdrawn = false;
  #isTaken = false;
  #beating: Promise<void> = Promise.resolve();

  private constructor(client: EtcdClient, key: string, member: MemberRecord, options: AnnounceOptions) {
    this.#client = client;
    this.#key = key;
    this.#member = member;
    this.#options = options;
  }

  /** Rejects with `member_taken`; an etcd that does not answer is tried again behind the caller. */
  static async begin(
    client: EtcdClient,
    key: string,
    member: MemberRecord,
    options: AnnounceOptions,
  ): Promise<MemberLease> {
    const lease = new MemberLease(client, key, member, options);
    try {
      await lease.#claim();
    } catch (fault) {
      if (SkeinError.from(fault).code !== 'registry_unreachable') throw fault;
    }
    lease.#next();
    return lease;
  }

  async update(member: MemberRecord): Promise<void> {
    this.#member = member;
    await this.#beating;
    if (!this.#isTaken && this.#leaseId !== '') await this.#claim();
  }

  async withdraw(): Promise<void> {
    this.#isWithdrawn = true;
    clearTimeout(this.#timer);
    await this.#beating;
    if (this.#leaseId !== '') await this.#client.call('/lease/revoke', { ID: this.#leaseId }).catch(() => {});
  }

  /** What a watch saw at this key. One's own record that somebody removed is written again at the next beat. */
  onSeen(found: MemberRecord | undefined): void {
    if (this.#isWithdrawn) return;
    if (found === undefined) {
      this.#leaseId = '';
      this.#next(0);
    } else if (found.instance !== this.#member.instance) this.#lose(found);
    else this.#regain();
  }

  #next(delayMs = this.#options.ttlMs / beatsATtl): void {
    clearTimeout(this.#timer);
    if (this.#isWithdrawn) return;
    this.#timer = setTimeout(() => {
      this.#beating = this.#beat().catch(() => {}); // away: the next beat tries again
      void this.#beating.then(() => this.#next());
    }, delayMs).unref();
  }

  async #beat(): Promise<void> {
    if (this.#leaseId === '' || this.#isTaken) {
      await this.#claim().catch((fault) => {
        if (SkeinError.from(fault).code !== 'member_taken') throw fault;
      });
      return;
    }
    const answer = await this.#client.call<{ result?: { TTL?: string } }>('/lease/keepalive', { ID: this.#leaseId });
    if (Number(answer.result?.TTL ?? 0) > 0) return;
    this.#leaseId = '';
    await this.#claim();
  }

  /** Takes the name: at once where it is free or this process's own, else when nobody lives behind it. */
  async #claim(): Promise<void> {
    if (this.#leaseId === '') {
      const ttl = String(Math.max(1, Math.ceil(this.#options.ttlMs / 1_000)));
      this.#leaseId = (await this.#client.call<{ ID: string }>('/lease/grant', { TTL: ttl })).ID;
    }
    for (let expected: KeyValue | undefined; ; ) {
      const found = await this.#put(expected);
      if (found === undefined) return this.#regain();
      const existing = readMember(JSON.parse(decodeBytes(found.value)));
      const isOther = existing !== undefined && existing.instance !== this.#member.instance;
      if (isOther && (await this.#options.isAlive(existing))) {
        this.#lose(existing);
        const { role, id } = this.#member;
        throw new SkeinError('member_taken', { role, id, where: placeOf(existing) });
      }
      expected = found;
    }
  }

  /** Writes the record where nothing is, or exactly `expected`; returns what is there instead where it could not. */
  async #put(expected?: KeyValue): Promise<KeyValue | undefined> {
    const key = encodeBytes(this.#key);
    const own = this.#ownRevision;
    const revision = expected?.mod_revision ?? own ?? '0';
    const put = { key, value: encodeBytes(JSON.stringify(this.#member)), lease: this.#leaseId };
    const answer = await this.#client.call<TransactionAnswer>('/kv/txn', {
      compare: [{ key, target: 'MOD', result: 'EQUAL', mod_revision: revision }],
      success: [{ request_put: put }],
      failure: [{ request_range: { key } }],
    });
    if (answer.succeeded === true) {
      this.#ownRevision = answer.header.revision;
      return undefined;
    }
    const [found] = answer.responses?.[0]?.response_range?.kvs ?? [];
    if (found === undefined) {
      this.#ownRevision = undefined; // removed meanwhile: once more, for a key that is not there
      return this.#put();
    }
    return found;
  }

  #ownRevision: string | undefined;

  #lose(by: MemberRecord): void {
    if (this.#isTaken) return;
    this.#isTaken = true;
    this.#ownRevision = undefined;
    this.#options.onTaken(by);
  }

  #regain(): void {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    this.#options.onTaken(undefined);
  }
}
