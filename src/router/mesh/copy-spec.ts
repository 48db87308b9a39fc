import type { CopySpec, Peer } from '../../protocol/link/messages.ts';
import type { ModelEntry } from './model-entry.ts';

/** Further ones would only be asked in vain one after the other. */
const mostPeers = 3;

/** What a backend is asked to load: the files and settings of the model as the catalogue has them now. */
export function specOf(entry: ModelEntry, version: number, wanted: boolean): CopySpec {
  const source = entry.record?.source;
  const peers = source === undefined ? [] : peersOf(entry, version);
  return {
    model: entry.name,
    version,
    directory: entry.repository?.path ?? '',
    stamp: entry.stampOf(version),
    pinned: entry.isPinned,
    wanted,
    ...(source === undefined ? {} : { source }),
    ...(peers.length === 0 ? {} : { peers }),
    ...(entry.configOverride === undefined ? {} : { configOverride: entry.configOverride }),
  };
}

/** Who holds a copy has its files on disk, for as long as it holds it. */
function peersOf(entry: ModelEntry, version: number): Peer[] {
  const copies = entry.activity?.ready(entry, version) ?? [];
  const holders = copies
    .filter(({ facts }) => facts.stamp === entry.stampOf(version))
    .map(({ backend }) => backend.record);
  const reachable = holders.filter(({ kind, address }) => kind === 'skein' && address.startsWith('tcp:'));
  return reachable.slice(0, mostPeers).map(({ id, address }) => ({ id, address }));
}
