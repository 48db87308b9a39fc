import type { CopySpec } from '../../protocol/link/messages.ts';
import type { ModelEntry } from './model-entry.ts';

/** What a backend is asked to load: the files and settings of the model as the catalogue has them now. */
export function specOf(entry: ModelEntry, version: number, wanted: boolean): CopySpec {
  return {
    model: entry.name,
    version,
    directory: entry.repository?.path ?? '',
    stamp: entry.stampOf(version),
    pinned: entry.isPinned,
    wanted,
    ...(entry.record?.source === undefined ? {} : { source: entry.record.source }),
    ...(entry.configOverride === undefined ? {} : { configOverride: entry.configOverride }),
  };
}
