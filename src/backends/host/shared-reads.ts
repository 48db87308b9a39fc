import { SkeinError } from '../../protocol/errors.ts';
import { LinkRuleBroken } from '../../protocol/link/frame-reader.ts';
import { type MappedMemory, mapSharedMemory } from '../../protocol/native/shared-memory.ts';

/** Bodies that lie in memory of a router on this host, and are read there. */
export class SharedReads {
  readonly #isLocal: boolean;
  readonly #tellReturned: (stream: number) => void;
  /** Streams that were given up while a run reads their body. */
  readonly #givenUp = new Set<number>();
  #memory: MappedMemory | undefined;
  #isClosed = false;

  constructor(isLocal: boolean, tellReturned: (stream: number) => void) {
    this.#isLocal = isLocal;
    this.#tellReturned = tellReturned;
  }

  /** Throws where the memory cannot be read: then bodies are sent. */
  open({ path, bytes }: { readonly path: string; readonly bytes: number }): null {
    if (!this.#isLocal || this.#memory !== undefined || this.#isClosed) {
      throw new SkeinError('internal', { reason: 'memory is shared once, over a Unix socket' });
    }
    try {
      this.#memory = mapSharedMemory(path, bytes);
    } catch (fault) {
      throw new SkeinError('internal', { reason: (fault as Error).message }, { cause: fault });
    }
    return null;
  }

  piece(offset: number, length: number): Buffer {
    const bytes = this.#memory?.bytes;
    if (bytes === undefined) throw new LinkRuleBroken('a loan of memory that is not shared');
    if (offset + length > bytes.length) throw new LinkRuleBroken(`a loan of ${length} bytes at ${offset}`);
    return bytes.subarray(offset, offset + length);
  }

  /** The router wants no answer. `isRead`: a run reads the body until `done`. */
  giveUp(stream: number, isRead: boolean): void {
    if (isRead) this.#givenUp.add(stream);
    else this.#tellReturned(stream);
  }

  /** Nobody reads the body of this stream any more. */
  done(stream: number): void {
    if (!this.#givenUp.delete(stream)) return;
    this.#tellReturned(stream);
    this.#unmapWhenRead();
  }

  /** The link has ended, and all its streams were given up. */
  close(): void {
    this.#isClosed = true;
    this.#unmapWhenRead();
  }

  #unmapWhenRead(): void {
    if (!this.#isClosed || this.#givenUp.size > 0) return;
    this.#memory?.unmap();
    this.#memory = undefined;
  }
}
