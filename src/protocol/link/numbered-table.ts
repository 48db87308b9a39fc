/** Holds this many before it grows for the first time, and never shrinks below them. */
const leastPlaces = 16;

/**
 * What is under way, by its number. A Map or a Set does not do for what comes and goes thousands of times a second: V8
 * links each table that one of them has outgrown, with what was in it, to the next. Once such a table lies among the old
 * objects, all that comes after it outlives every collection but a full one, whole requests with their bodies.
 *
 * Open addressing: whatever hangs on a number is found between its own place and the next empty one.
 */
export class NumberedTable<T extends object> {
  #numbers = new Uint32Array(leastPlaces);
  #values: (T | undefined)[] = Array(leastPlaces).fill(undefined);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(number: number): T | undefined {
    return this.#values[this.#placeOf(number)];
  }

  has(number: number): boolean {
    return this.get(number) !== undefined;
  }

  /** Numbers are below 2³². */
  set(number: number, value: T): void {
    let place = this.#placeOf(number);
    if (this.#values[place] === undefined) {
      if (2 * ++this.#size > this.#values.length) {
        this.#resize(2 * this.#values.length);
        place = this.#placeOf(number);
      }
      this.#numbers[place] = number;
    }
    this.#values[place] = value;
  }

  /** False where there was none. */
  delete(number: number): boolean {
    const place = this.#placeOf(number);
    if (this.#values[place] === undefined) return false;
    this.#empty(place);
    const places = this.#values.length;
    if (8 * --this.#size < places && places > leastPlaces) this.#resize(places / 2);
    return true;
  }

  clear(): void {
    this.#size = 0;
    this.#numbers = new Uint32Array(leastPlaces);
    this.#values = Array(leastPlaces).fill(undefined);
  }

  /** As they are now, by number: who goes through them may add and delete meanwhile. */
  entries(): [number, T][] {
    return this.#entries().sort(([a], [b]) => a - b);
  }

  /** As they are now, in no order. */
  values(): T[] {
    return this.#values.filter((value) => value !== undefined);
  }

  #entries(): [number, T][] {
    const entries: [number, T][] = [];
    this.#values.forEach((value, place) => {
      if (value !== undefined) entries.push([this.#numbers[place]!, value]);
    });
    return entries;
  }

  /** Where it is, or where it would be. */
  #placeOf(number: number): number {
    const values = this.#values;
    const numbers = this.#numbers;
    const mask = values.length - 1;
    let place = number & mask;
    while (values[place] !== undefined && numbers[place] !== number) place = (place + 1) & mask;
    return place;
  }

  /** Those behind it move up, as far as each may: none is left where its number does not lead. */
  #empty(place: number): void {
    const values = this.#values;
    const numbers = this.#numbers;
    const mask = values.length - 1;
    let hole = place;
    for (let next = (hole + 1) & mask; values[next] !== undefined; next = (next + 1) & mask) {
      const fromOwn = (next - numbers[next]!) & mask;
      const fromHole = (next - hole) & mask;
      if (fromOwn < fromHole) continue;
      values[hole] = values[next];
      numbers[hole] = numbers[next]!;
      hole = next;
    }
    values[hole] = undefined;
  }

  #resize(places: number): void {
    const entries = this.#entries();
    this.#numbers = new Uint32Array(places);
    this.#values = Array(places).fill(undefined);
    for (const [number, value] of entries) {
      const place = this.#placeOf(number);
      this.#numbers[place] = number;
      this.#values[place] = value;
    }
  }
}
