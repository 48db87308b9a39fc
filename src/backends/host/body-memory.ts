import { SkeinError } from '../../protocol/errors.ts';

/**
 * Bytes of bodies that are in this process: of requests, arriving or served, and of answers that wait for their router.
 * Bounded: past it requests are refused.
 */
export class BodyMemory {
  readonly #limitBytes: number;
  #heldBytes = 0;
  #mostBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** False where they do not fit any more. */
  take(bytes: number): boolean {
    if (this.#heldBytes + bytes > this.#limitBytes) return false;
    this.hold(bytes);
    return true;
  }

  /** What is there already and cannot be refused. */
  hold(bytes: number): void {
    this.#heldBytes += bytes;
    if (this.#heldBytes > this.#mostBytes) this.#mostBytes = this.#heldBytes;
  }

  giveBack(bytes: number): void {
    this.#heldBytes -= bytes;
  }

  /** The most that was held at once since the last call. */
  takeMostBytes(): number {
    const most = this.#mostBytes;
    this.#mostBytes = this.#heldBytes;
    return most;
  }

  fullError(): SkeinError {
    return new SkeinError('bodies_full', { heldBytes: this.#heldBytes, limitBytes: this.#limitBytes });
  }
}
