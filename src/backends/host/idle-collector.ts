import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** So long after the last unload, with nothing running, the process is taken to be idle. */
const idleMs = 700;

/**
 * Has V8 collect once after models have left and nothing runs: it would keep what it has grown to until it needs to grow
 * again, which in an idle process is never. Takes a few milliseconds of a process that has nothing to do.
 */
export class IdleCollector {
  readonly #isIdle: () => boolean;
  readonly #collect: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(isIdle: () => boolean) {
    this.#isIdle = isIdle;
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as () => void;
  }

  /** A model has left. */
  modelLeft(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#isIdle()) this.#collect();
      else this.modelLeft();
    }, idleMs).unref();
  }
}
