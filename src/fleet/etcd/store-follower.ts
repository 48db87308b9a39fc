import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SkeinError } from '../../protocol/errors.ts';
import type { FleetFact, FleetPicture } from '../fleet-picture.ts';
import { withLater } from '../later-members.ts';
import type { EtcdClient } from './etcd-client.ts';
import {
  decodeBytes,
  encodeBytes,
  rangeEndOf,
  type TransactionAnswer,
  type WatchAnswer,
  type WatchEvent,
} from './etcd-messages.ts';
import type { KeySpace } from './key-space.ts';
import type { RegistryLog } from './registry-log.ts';
import { judgeStore, looksEmptied, type StoreMarker } from './store-judgement.ts';
import { readFact, readMarker, readStore } from './store-reader.ts';
import type { WriteQueue } from './write-queue.ts';

const firstDelayMs = 100;
const maxDelayMs = 2_000;

/** How often the store is asked whether it lives while it has nothing to say, and an emptied one whether it is back. */
const probeMs = 2_000;

/** The watch has ended for a reason that is none of the network's: read everything again. */
class Reload extends Error {}

/** The store has lost what it held. */
class Emptied extends Error {}

/** Keeps the picture equal to the store for as long as the store can be believed, and as it was where it cannot. */
export class StoreFollower {
  readonly #client: EtcdClient;
  readonly #keys: KeySpace;
  readonly #picture: FleetPicture;
  readonly #log: RegistryLog;
  readonly #stop = new AbortController();
  /** Undefined until the store was read, and where an operator accepted another one. */
  #fleetId: string | undefined;
  #revision = 0;
  #decided = Promise.withResolvers<void>();
  /** The state that was logged last. */
  #told = '';

  constructor(client: EtcdClient, keys: KeySpace, picture: FleetPicture, log: RegistryLog) {
    this.#client = client;
    this.#keys = keys;
    this.#picture = picture;
    this.#log = log;
  }

  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#stop.abort();
    this.#decided.resolve();
  }

  /** Takes the store as it is, for the whole fleet: its new marker names the old fleet as replaced. */
  async accept(): Promise<void> {
    const lost = this.#lostFleet();
    const { marker } = await readMarker(this.#client, this.#keys);
    const isOther = marker !== undefined && marker.fleetId !== lost;
    await this.#putMarker({
      fleetId: isOther ? marker.fleetId : randomUUID(),
      replaces: [...(marker?.replaces ?? []), lost].slice(-16),
    });
    this.#fleetId = undefined;
    this.#decideNow();
  }

  /** Writes what this member knows into the store; the marker comes last, so that nobody believes half of it. */
  async restore(writes: WriteQueue): Promise<void> {
    const fleetId = this.#lostFleet();
    const put = (kind: FleetFact['kind'], name: string, value: unknown) => {
      const key = encodeBytes(this.#keys.keyOf(kind, name));
      return writes.write(`${kind} ${name}`, {
        success: [{ request_put: { key, value: encodeBytes(JSON.stringify(value)) } }],
      });
    };
    await Promise.all([...this.#picture.entries].map(([name, one]) => put('entry', name, withLater(one.entry, one))));
    await Promise.all([...this.#picture.drains].map((id) => put('drain', id, { sinceMs: Date.now() })));
    await this.#putMarker({ fleetId, replaces: [] });
    this.#revision = Infinity; // whatever the store's own is: read it anew
    this.#decideNow();
  }

  #decideNow(): void {
    this.#decided.resolve();
    this.#decided = Promise.withResolvers();
  }

  #lostFleet(): string {
    if (this.#picture.standing.kind !== 'emptied') throw new SkeinError('registry_not_emptied');
    return this.#fleetId ?? '';
  }

  async #run(): Promise<void> {
    let delayMs = firstDelayMs;
    while (!this.#stop.signal.aborted) {
      try {
        if (await this.#catchUp()) {
          this.#stand('connected', '');
          delayMs = firstDelayMs;
          await this.#follow();
        }
      } catch (fault) {
        if (this.#stop.signal.aborted) return;
        if (fault instanceof Reload) continue;
        if (fault instanceof Emptied) {
          await this.#waitForDecision(fault.message);
          continue;
        }
        const isNew = this.#fleetId === undefined && this.#picture.entries.size === 0;
        this.#stand(isNew ? 'starting' : 'away', SkeinError.from(fault).message);
        // Half fixed, half drawn: a cluster that comes back is not met by the whole fleet in one instant.
        await sleep(delayMs / 2 + (Math.random() * delayMs) / 2, undefined, { ref: false });
        delayMs = Math.min(maxDelayMs, delayMs * 1.6);
      }
    }
  }

  /** Brings the picture up to the store's revision. False: begin again. */
  async #catchUp(): Promise<boolean> {
    const found = await readMarker(this.#client, this.#keys);
    const known = this.#fleetId === undefined ? undefined : this.#known(this.#fleetId);
    const judgement = judgeStore(known, found);
    switch (judgement.kind) {
      case 'begin':
        await this.#begin();
        return false;
      case 'emptied':
        throw new Emptied(judgement.reason);
      case 'reload':
        await this.#reload(found.marker!.fleetId);
        return true;
      case 'resume':
        return true;
      default:
        return judgement satisfies never;
    }
  }

  #known(fleetId: string) {
    return { fleetId, revision: this.#revision, entries: this.#picture.entries.size };
  }

  /** The first member of a fleet names it; of several at once one wins. */
  async #begin(): Promise<void> {
    this.#fleetId = undefined;
    const key = encodeBytes(this.#keys.marker);
    const value = encodeBytes(JSON.stringify({ fleetId: randomUUID(), replaces: [] } satisfies StoreMarker));
    await this.#client.call<TransactionAnswer>('/kv/txn', {
      compare: [{ key, target: 'CREATE', result: 'EQUAL', create_revision: '0' }],
      success: [{ request_put: { key, value } }],
    });
  }

  async #reload(fleetId: string): Promise<void> {
    const { facts, revision } = await readStore(this.#client, this.#keys, this.#onUnreadable);
    const entries = facts.filter(({ kind }) => kind === 'entry').length;
    const isKnown = this.#fleetId === fleetId;
    if (isKnown && looksEmptied(this.#picture.entries.size, entries)) {
      throw new Emptied(`it held ${this.#picture.entries.size} entries and holds ${entries} now`);
    }
    this.#fleetId = fleetId;
    this.#revision = revision;
    this.#picture.apply(this.#picture.difference(facts));
  }

  readonly #onUnreadable = (key: string, reason: string) => {
    this.#log('entry of the registry cannot be read and is passed over', { key, reason }, 'warn');
  };

  /** Ends only by a throw. */
  async #follow(): Promise<void> {
    const ended = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, ended.signal]);
    const stream = this.#client.stream<WatchAnswer>(
      '/watch',
      {
        create_request: {
          key: encodeBytes(this.#keys.prefix),
          range_end: rangeEndOf(this.#keys.prefix),
          // The last change once more: a compaction at the one after it would else lose a removal without a word.
          start_revision: String(this.#revision),
        },
      },
      signal,
    );
    try {
      await Promise.race([this.#takeAll(stream), this.#probe(signal, this.#client.failures)]);
    } finally {
      ended.abort();
    }
  }

  async #takeAll(stream: AsyncIterable<WatchAnswer>): Promise<never> {
    for await (const answer of stream) {
      if (answer.compact_revision !== undefined) {
        this.#revision = Infinity; // what happened meanwhile is not kept any more: judged as an older store
        throw new Reload();
      }
      if (answer.canceled === true)
        throw new SkeinError('registry_unreachable', { reason: answer.cancel_reason ?? '' });
      this.#take(answer);
    }
    throw new SkeinError('registry_unreachable', { reason: 'the watch ended' });
  }

  #take({ header, events = [] }: WatchAnswer): void {
    this.#judgeRemovals(events);
    const facts: FleetFact[] = [];
    for (const { type, kv } of events) {
      const fact = readFact(this.#keys, kv, type === 'DELETE', this.#onUnreadable);
      if (fact !== undefined) facts.push(fact);
    }
    const last = events.at(-1)?.kv.mod_revision;
    this.#revision = Math.max(this.#revision, Number(last ?? header.revision ?? 0));
    this.#picture.apply(facts);
  }

  /** Who removes by Skein leaves a note beside it. Who removes much at once without one, or the marker, meant something else. */
  #judgeRemovals(events: readonly WatchEvent[]): void {
    const { entries } = this.#picture;
    const entriesFolder = this.#keys.keyOf('entry', '');
    let removed = 0;
    let isNoted = false;
    for (const { type, kv } of events) {
      const key = decodeBytes(kv.key);
      if (key === this.#keys.marker && type === 'DELETE') throw new Emptied('the mark of the fleet was removed');
      if (key === this.#keys.removals) isNoted = true;
      if (type === 'DELETE' && entries.has(key.slice(entriesFolder.length))) removed++;
    }
    const { size } = entries;
    if (!isNoted && looksEmptied(size, size - removed)) throw new Emptied(`${removed} of ${size} entries went at once`);
  }

  /**
   * A connection that died without a word would leave the watch waiting for ever. So would a member of the cluster that is
   * frozen or cut off: calls that it leaves unanswered are answered by another one, the watch stays where it is.
   */
  async #probe(signal: AbortSignal, failuresBefore: number): Promise<never> {
    for (;;) {
      await sleep(probeMs, undefined, { signal, ref: false });
      const { marker } = await readMarker(this.#client, this.#keys);
      if (marker?.fleetId !== this.#fleetId || this.#client.failures > failuresBefore) throw new Reload();
    }
  }

  /** The picture stays as it is until the store is back, or somebody says what to make of it. */
  async #waitForDecision(reason: string): Promise<void> {
    this.#stand('emptied', reason);
    const decided = this.#decided.promise;
    let isOver = false;
    void decided.then(() => {
      isOver = true;
    });
    while (!isOver) {
      await Promise.race([decided, sleep(probeMs, undefined, { ref: false })]);
      if (isOver || (await this.#isBack())) return;
    }
  }

  async #isBack(): Promise<boolean> {
    try {
      const { marker } = await readMarker(this.#client, this.#keys);
      const isWanted = marker?.fleetId === this.#fleetId || marker?.replaces.includes(this.#fleetId ?? '') === true;
      if (!isWanted) return false;
      const { facts } = await readStore(this.#client, this.#keys, () => {});
      const entries = facts.filter(({ kind }) => kind === 'entry').length;
      const isReplaced = marker?.fleetId !== this.#fleetId;
      if (!isReplaced && looksEmptied(this.#picture.entries.size, entries)) return false;
      this.#revision = Infinity;
      return true;
    } catch {
      return false; // away as well; what is known holds in any case
    }
  }

  async #putMarker(marker: StoreMarker): Promise<void> {
    const key = encodeBytes(this.#keys.marker);
    await this.#client.call('/kv/put', { key, value: encodeBytes(JSON.stringify(marker)) });
  }

  #stand(kind: 'starting' | 'connected' | 'away' | 'emptied', reason: string): void {
    this.#picture.stand(kind, reason);
    if (this.#told === kind) return;
    this.#told = kind;
    const messages = {
      starting: 'the registry does not answer yet',
      connected: 'registry connected',
      away: 'the registry is away: what is known holds, changes of the catalogue wait',
      emptied: 'the registry has lost what it held: what is known holds until somebody decides (`skein registry`)',
    };
    this.#log(messages[kind], reason === '' ? {} : { reason }, kind === 'connected' ? 'info' : 'warn');
  }
}
