import { Writable } from 'node:stream';

/** A socket whose other end takes bytes only when it is told to. */
export class SlowSocket extends Writable {
  readonly chunks: Buffer[] = [];
  /** System calls that the writes would have been. */
  writes = 0;
  #waiting: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 64 * 1024 });
  }

  get taken(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** Takes what was written so far; false where there was nothing. */
  take(): boolean {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
    return waiting !== undefined;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#receive([chunk], done);
  }

  override _writev(written: { chunk: Buffer }[], done: () => void): void {
    this.#receive(
      written.map(({ chunk }) => chunk),
      done,
    );
  }

  #receive(chunks: readonly Buffer[], done: () => void): void {
    this.writes += 1;
    // Copied: what a stream handed in may be used again once it was told that it is written.
    this.chunks.push(...chunks.map((chunk) => Buffer.from(chunk)));
    this.#waiting = done;
  }
}

/** Lets everything happen that needs no further byte to be taken. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Takes all that comes until nothing comes any more. */
export async function drain(socket: SlowSocket): Promise<void> {
  do await settle();
  while (socket.take());
}
