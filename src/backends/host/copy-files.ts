import type { FetchProgress, FileLease, ModelFetcher } from '../../fleet/sources/model-fetcher.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { CopySpec } from '../../protocol/link/messages.ts';

/** Where the files of one copy are, from its load until it is gone. */
export class CopyFiles {
  /** As the load needs it: its directory is on this machine. */
  readonly spec: CopySpec;
  readonly #lease: FileLease | undefined;

  private constructor(spec: CopySpec, lease: FileLease | undefined) {
    this.spec = spec;
    this.#lease = lease;
  }

  /** Fetches what has to be fetched. Takes neither memory nor a place among the loads meanwhile. */
  static async acquire(
    spec: CopySpec,
    fetcher: ModelFetcher | undefined,
    onProgress: (progress: FetchProgress) => void,
  ): Promise<CopyFiles> {
    if (spec.source === undefined) return new CopyFiles(spec, undefined);
    if (fetcher === undefined) throw new SkeinError('sources_off', { model: spec.model });
    const lease = await fetcher.acquire(spec.source, spec.version, onProgress, spec.peers);
    return new CopyFiles({ ...spec, directory: lease.directory }, lease);
  }

  /** `doubt`: they could not be loaded. What cannot be removed is removed by the next start. */
  release(doubt: boolean): void {
    this.#lease?.release(doubt).catch(() => {});
  }
}
