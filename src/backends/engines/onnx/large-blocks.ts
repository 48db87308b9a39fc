import { glibcFunction } from '../../../protocol/native/c-library.ts';

/** Parameters of glibc's mallopt, as malloc.h numbers them. */
const trimThreshold = -1;
const mapThreshold = -3;

/** While models are prepared. */
const mappedFromBytes = 256 * 1024;

/** Where glibc itself would arrive, freeing larger and larger blocks: the most that it takes. */
const usualMappedFromBytes = 32 * 1024 * 1024;
const usualTrimBytes = 2 * usualMappedFromBytes;

/**
 * Has glibc map large blocks by themselves while a model is prepared, and give them back when they are freed. From the
 * heap they would leave holes, whose pages the small blocks between them keep: 30 to 50 MB above the budget. Not at other
 * times, because mapping the buffers of large bodies anew costs a tenth of what a request costs.
 */
export class LargeBlocks {
  readonly #setOption = glibcFunction('int mallopt(int option, int value)');
  #preparing = 0;

  async mappedDuring<T>(preparation: () => Promise<T>): Promise<T> {
    if (this.#preparing++ === 0) this.#setOption?.(mapThreshold, mappedFromBytes);
    try {
      return await preparation();
    } finally {
      if (--this.#preparing === 0) {
        this.#setOption?.(mapThreshold, usualMappedFromBytes);
        this.#setOption?.(trimThreshold, usualTrimBytes);
      }
    }
  }
}
