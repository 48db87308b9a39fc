import type { CopyFacts, State } from '../../protocol/link/messages.ts';
import type { Host } from './host.ts';

/** What states are made of. */
export type StateSource = Pick<Host, 'onChange' | 'snapshot'>;

/** States go out at once after a change, then at most this often. */
const minGapMs = 100;

/** What one router was told last, and the sending of what has changed since. */
export class StateFeed {
  readonly #host: StateSource;
  readonly #send: (state: State) => void;
  readonly #told = new Map<number, string>();
  #newestTold: number;
  #toldBackend = '';
  #lastSentMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  readonly #unsubscribe: () => void;

  constructor(host: StateSource, send: (state: State) => void) {
    this.#host = host;
    this.#send = send;
    this.#newestTold = host.snapshot().newestCopy;
    this.#unsubscribe = host.onChange(() => this.#schedule());
    this.#push();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#unsubscribe();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#push();
      },
      Math.max(0, this.#lastSentMs + minGapMs - performance.now()),
    );
  }

  #push(): void {
    const { backend, copies, newestCopy } = this.#host.snapshot();
    const changed: CopyFacts[] = [];
    const gone = new Set(this.#told.keys());
    // A copy may come and go between two states. The router that asked for it knows it from the load's own answer.
    for (let id = this.#newestTold + 1; id <= newestCopy; id++) gone.add(id);
    this.#newestTold = newestCopy;
    for (const copy of copies) {
      gone.delete(copy.id);
      const text = JSON.stringify(copy);
      if (this.#told.get(copy.id) === text) continue;
      this.#told.set(copy.id, text);
      changed.push(copy);
    }
    for (const id of gone) this.#told.delete(id);
    const backendText = JSON.stringify(backend);
    if (changed.length === 0 && gone.size === 0 && backendText === this.#toldBackend) return;
    this.#toldBackend = backendText;
    this.#lastSentMs = performance.now();
    this.#send({ backend, changed, gone: [...gone] });
  }
}
