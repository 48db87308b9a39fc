import type { BatchItem } from './item.ts';

/**
 * The queued items that expire, earliest first: a binary heap in which every item knows its place, so that one that is
 * run or cancelled leaves at once and its tensors can be freed. Items mostly expire in the order in which they come,
 * which is the cheap order.
 */
export class ExpiryHeap<I extends BatchItem> {
  readonly #items: I[] = [];

  get earliest(): I | undefined {
    return this.#items[0];
  }

  /** When to look again; Infinity = nothing expires. */
  get nextMs(): number {
    return this.#items[0]?.expiresMs ?? Infinity;
  }

  add(item: I): void {
    if (item.expiresMs === Infinity) return;
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  remove(item: I): void {
    const at = item.expiryIndex;
    if (at < 0) return;
    item.expiryIndex = -1;
    const last = this.#items.pop()!;
    if (last === item) return;
    this.#sink(last, at);
    this.#rise(last, last.expiryIndex);
  }

  #rise(item: I, from: number): void {
    let at = from;
    while (at > 0) {
      const parent = this.#items[(at - 1) >> 1]!;
      if (parent.expiresMs <= item.expiresMs) break;
      this.#put(parent, at);
      at = (at - 1) >> 1;
    }
    this.#put(item, at);
  }

  #sink(item: I, from: number): void {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#items.length) break;
      if (child + 1 < this.#items.length && this.#items[child + 1]!.expiresMs < this.#items[child]!.expiresMs)
        child += 1;
      if (item.expiresMs <= this.#items[child]!.expiresMs) break;
      this.#put(this.#items[child]!, at);
      at = child;
    }
    this.#put(item, at);
  }

  #put(item: I, at: number): void {
    this.#items[at] = item;
    item.expiryIndex = at;
  }
}
