import type { Peer } from '../../protocol/link/messages.ts';

/** Reads files of one kind of place. Implementations pass test/fleet/sources/file-reader.contract.ts. */
export interface FileReader {
  /**
   * Opens a file from `offsetBytes` on. Rejects with `source_…` errors of the error table; what the bytes reject with is
   * the transport's own, and may be tried again.
   */
  open(url: URL, offsetBytes: number, signal: AbortSignal): Promise<OpenFile>;
}

export interface OpenFile {
  /** Where the bytes really begin: 0 where the place cannot begin later. */
  readonly offsetBytes: number;
  /** Of the whole file; undefined where the place does not say. */
  readonly sizeBytes: number | undefined;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Other members of the fleet that have files already, by digest: asked before the place that an entry names. */
export interface PeerFiles {
  /** Undefined where none of `peers` has it, or none that has it answers. */
  open(peers: readonly Peer[], sha256: string, offsetBytes: number, signal: AbortSignal): Promise<OpenFile | undefined>;
}

/** For who has no peers. */
export const noPeers: PeerFiles = { open: () => Promise.resolve(undefined) };
