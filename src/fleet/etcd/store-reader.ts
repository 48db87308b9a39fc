import type { FleetFact } from '../fleet-picture.ts';
import type { EtcdClient } from './etcd-client.ts';
import { decodeBytes, encodeBytes, type KeyValue, type RangeAnswer, rangeEndOf } from './etcd-messages.ts';
import type { KeySpace } from './key-space.ts';
import type { StoreMarker } from './store-judgement.ts';

/**
 * Keys read at once. A page stays well below what one message may hold, and dies young: a router that began over 12,000
 * models kept 1.9 KB of memory a model with pages of 500, 1.6 with these, and half a kilobyte more with 2,000.
 */
const keysAPage = 125;

interface ReadStore {
  readonly facts: readonly FleetFact[];
  readonly revision: number;
}

/** The marker and the revision of the store, read through a majority of it. */
export async function readMarker(
  client: EtcdClient,
  keys: KeySpace,
): Promise<{ marker: StoreMarker | undefined; revision: number }> {
  const { header, kvs } = await client.call<RangeAnswer>('/kv/range', { key: encodeBytes(keys.marker) });
  return { marker: kvs?.[0] === undefined ? undefined : markerOf(kvs[0]), revision: Number(header.revision) };
}

/** Everything of the fleet as of one revision. `onUnreadable` is told of values that cannot be used. */
export async function readStore(
  client: EtcdClient,
  keys: KeySpace,
  onUnreadable: (key: string, reason: string) => void,
): Promise<ReadStore> {
  const facts: FleetFact[] = [];
  let revision: string | undefined;
  for (let from = encodeBytes(keys.prefix); ; ) {
    const {
      header,
      kvs = [],
      more,
    } = await client.call<RangeAnswer>('/kv/range', {
      key: from,
      range_end: rangeEndOf(keys.prefix),
      limit: String(keysAPage),
      ...(revision !== undefined && { revision }),
    });
    revision ??= header.revision ?? '0';
    for (const kv of kvs) {
      const fact = readFact(keys, kv, false, onUnreadable);
      if (fact !== undefined) facts.push(fact);
    }
    const last = kvs.at(-1);
    if (more !== true || last === undefined) return { facts, revision: Number(revision) };
    from = encodeBytes(`${decodeBytes(last.key)}\0`);
  }
}

/** A fact that cannot be read is told of and passed over: one bad entry must not stop the fleet. */
export function readFact(
  keys: KeySpace,
  kv: KeyValue,
  isGone: boolean,
  onUnreadable: (key: string, reason: string) => void,
): FleetFact | undefined {
  try {
    return keys.factOf(kv, isGone);
  } catch (fault) {
    onUnreadable(decodeBytes(kv.key), (fault as Error).message);
    return undefined;
  }
}

function markerOf({ value }: KeyValue): StoreMarker {
  const { fleetId = '', replaces = [] } = JSON.parse(decodeBytes(value)) as Partial<StoreMarker>;
  return { fleetId, replaces };
}
