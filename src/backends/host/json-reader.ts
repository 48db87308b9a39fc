import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { AheadText } from '../../protocol/v2/read-ahead.ts';

/** Shorter texts are read faster than they are handed to a thread and back. */
export const aheadBytes = 256 * 1024;

/** A thread that was not needed for so long ends: its heap is memory that models could have. */
const idleMs = 5_000;

type Done = (ahead: AheadText | undefined) => void;

/** It answers in turn those that wait for it, and only those: the next one may have begun before it has ended. */
interface Thread {
  readonly worker: Worker;
  readonly waiting: Done[];
}

/**
 * Reads large JSON bodies on a thread of its own: numbers of 1 MB take 5 ms, and 64 MB would keep everybody else waiting
 * for a third of a second. One thread, bodies in turn; what may wait is bounded with all bodies of the process.
 */
export class JsonReader {
  #thread: Thread | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  /** Undefined where the text is no JSON, or the thread was lost: then it is read as any other, and found out again. */
  read(pieces: readonly Uint8Array[]): Promise<AheadText | undefined> {
    const text = joined(pieces);
    return new Promise((resolve) => {
      clearTimeout(this.#idleTimer);
      this.#thread ??= this.#start();
      const { worker, waiting } = this.#thread;
      waiting.push(resolve);
      worker.ref();
      worker.postMessage(text, [text.buffer]);
    });
  }

  #start(): Thread {
    const source = fileURLToPath(new URL('./json-thread.ts', import.meta.url));
    const worker = new Worker(existsSync(source) ? source : source.replace(/\.ts$/, '.js'));
    const thread: Thread = { worker, waiting: [] };
    worker.on('message', (ahead: AheadText | undefined) => this.#settle(thread, ahead));
    worker.on('error', () => {}); // 'exit' follows
    worker.once('exit', () => {
      if (this.#thread === thread) this.#thread = undefined;
      for (const done of thread.waiting.splice(0)) done(undefined);
    });
    return thread;
  }

  #settle({ worker, waiting }: Thread, ahead: AheadText | undefined): void {
    waiting.shift()?.(ahead);
    if (waiting.length > 0) return;
    worker.unref();
    this.#idleTimer = setTimeout(() => {
      this.#thread = undefined;
      void worker.terminate();
    }, idleMs).unref();
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let bytes = 0;
  for (const piece of pieces) bytes += piece.byteLength;
  const text = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    text.set(piece, at);
    at += piece.byteLength;
  }
  return text;
}
