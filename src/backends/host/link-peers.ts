import type { Adapter, BackendSession } from '../../adapters/adapter.ts';
import type { OpenFile, PeerFiles } from '../../fleet/sources/file-reader.ts';
import type { FilePiece, Peer } from '../../protocol/link/messages.ts';

/** A peer that takes longer to answer than this is left: the place that the entry names has the file, too. */
const connectMs = 1_500;
const pieceMs = 3_000;

/** Files of other backends, over the link that routers use: piece by piece, so that neither end holds more than one. */
export class LinkPeers implements PeerFiles {
  readonly #adapterFor: (peer: Peer) => Adapter;
  readonly #self: string;

  /** `self`: the id of this backend, which is no peer of its own. */
  constructor(adapterFor: (peer: Peer) => Adapter, self: string) {
    this.#adapterFor = adapterFor;
    this.#self = self;
  }

  async open(
    peers: readonly Peer[],
    sha256: string,
    offsetBytes: number,
    signal: AbortSignal,
  ): Promise<OpenFile | undefined> {
    for (const peer of peers) {
      if (peer.id === this.#self || signal.aborted) continue;
      try {
        const first = await this.#withSession(peer, (session) => pieceOf(session, sha256, offsetBytes));
        const { sizeBytes } = first;
        return { offsetBytes, sizeBytes, bytes: this.#pieces(peer, sha256, offsetBytes, first, signal) };
      } catch {
        // Gone, too busy, of another version, or without the file: the next one, or the source.
      }
    }
    return undefined;
  }

  async *#pieces(
    peer: Peer,
    sha256: string,
    offsetBytes: number,
    { bytes: first, sizeBytes }: Piece,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    yield first;
    let done = offsetBytes + first.byteLength;
    if (done >= sizeBytes) return;
    const session = await this.#connect(peer);
    try {
      while (done < sizeBytes) {
        signal.throwIfAborted();
        const { bytes } = await pieceOf(session, sha256, done);
        if (bytes.byteLength === 0) throw new Error(`backend '${peer.id}' has no more of it`);
        yield bytes;
        done += bytes.byteLength;
      }
    } finally {
      session.close('the file is fetched');
    }
  }

  async #withSession<T>(peer: Peer, use: (session: BackendSession) => Promise<T>): Promise<T> {
    const session = await this.#connect(peer);
    try {
      return await use(session);
    } finally {
      session.close('a piece is fetched');
    }
  }

  async #connect(peer: Peer): Promise<BackendSession> {
    const { id, address } = peer;
    const target = { id, kind: 'skein', address, engines: [] };
    const nobody = { onState: () => {}, onStalled: () => {}, onLost: () => {} };
    // The signal ends the session, too: only the time until it is open is bounded by it.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), connectMs);
    try {
      return await this.#adapterFor(peer).connect(target, nobody, late.signal);
    } finally {
      clearTimeout(timer);
    }
  }
}

interface Piece {
  readonly sizeBytes: number;
  readonly bytes: Uint8Array;
}

async function pieceOf(session: BackendSession, sha256: string, offsetBytes: number): Promise<Piece> {
  if (session.readFile === undefined) throw new Error('it offers no files');
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${pieceMs} ms`)), pieceMs);
  });
  try {
    const { sizeBytes, data }: FilePiece = await Promise.race([session.readFile(sha256, offsetBytes), late]);
    return { sizeBytes, bytes: Buffer.from(data, 'base64') };
  } finally {
    clearTimeout(timer);
  }
}
