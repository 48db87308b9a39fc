/** How fast models have been loading: what a waiting client is told of one that was never loaded here. */
export class LoadPace {
  #msPerByte = 0;

  record(ms: number, bytes: number): void {
    const perByte = ms / Math.max(1, bytes);
    this.#msPerByte = this.#msPerByte === 0 ? perByte : this.#msPerByte * 0.8 + perByte * 0.2;
  }

  expectedMs(bytes: number): number {
    return Math.max(minimumMs, this.#msPerByte * bytes);
  }
}

/** Nothing loads faster than this; it is what a client is told before anything was measured. */
const minimumMs = 20;
