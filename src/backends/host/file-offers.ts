import type { ModelFetcher } from '../../fleet/sources/model-fetcher.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { FilePiece } from '../../protocol/link/messages.ts';

/** Pieces read for other backends at once; who asks beyond that goes to the source. */
const mostReads = 4;

/** Of one answer: it is written as text, in one turn of the event loop that requests wait for. */
const pieceBytes = 256 * 1024;

/** Hands other backends files of the cache: verified ones alone, that is those that the catalogue has named. */
export class FileOffers {
  readonly #backendId: string;
  readonly #fetcher: ModelFetcher | undefined;
  #reads = 0;

  constructor(backendId: string, fetcher: ModelFetcher | undefined) {
    this.#backendId = backendId;
    this.#fetcher = fetcher;
  }

  async piece(sha256: string, offsetBytes: number): Promise<FilePiece> {
    if (this.#reads >= mostReads) throw this.#refusal(`it reads for ${mostReads} others`);
    this.#reads++;
    try {
      const found = await this.#fetcher?.piece(sha256, offsetBytes, pieceBytes);
      if (found === undefined) throw this.#refusal('it is not in its cache');
      return { sizeBytes: found.sizeBytes, data: found.bytes.toString('base64') };
    } finally {
      this.#reads--;
    }
  }

  #refusal(reason: string): SkeinError {
    return new SkeinError('backend_cannot', { backend: this.#backendId, verb: 'give a file', reason });
  }
}
