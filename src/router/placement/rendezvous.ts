/**
 * Weighted rendezvous hashing: in which order backends should hold a model.
 *
 * A score depends on two names and one weight alone, so every router computes the same order without talking to
 * another; a backend that joins takes only what it wins, and one that leaves gives up only what it held.
 *
 * With u uniform in (0, 1), the member of the largest -weight / ln(u) comes first with probability weight / all weights.
 * Sources: Thaler and Ravishankar 1998 (rendezvous); Schindelhauer and Schomaker 2005 (weights).
 */

export interface Member {
  readonly id: string;
  /** The weight: a member of twice the bytes comes first for twice as many models. Zero takes none. */
  readonly usableBytes: number;
}

/**
 * Hands out the preference list of one key, best first. Scoring costs one short hash per member; each step after that
 * costs log(members), so that a caller who needs two or three never pays for a sort of a thousand.
 */
export class PreferenceWalk<M extends Member> {
  readonly #members: readonly M[];
  /** By position in `members`; -1 for those that can hold nothing. */
  readonly #scores: Float64Array;
  /** A binary heap of positions: the best remaining one at 0. */
  readonly #heap: Int32Array;
  #left = 0;

  constructor(key: string, members: readonly M[]) {
    this.#members = members;
    this.#scores = new Float64Array(members.length);
    this.#heap = new Int32Array(members.length);
    const keyLow = hash(key, 0x811c9dc5);
    const keyHigh = hash(key, 0x9747b28c);
    for (let at = 0; at < members.length; at++) {
      const { id, usableBytes } = members[at]!;
      const holdsSome = usableBytes > 0;
      this.#scores[at] = holdsSome ? -usableBytes / Math.log(uniform(keyLow, keyHigh, idHash(id))) : -1;
      if (holdsSome) this.#heap[this.#left++] = at;
    }
    for (let at = (this.#left >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  /** The next best member; undefined after the last. */
  next(): M | undefined {
    if (this.#left === 0) return undefined;
    const best = this.#heap[0]!;
    this.#left -= 1;
    this.#heap[0] = this.#heap[this.#left]!;
    this.#sink(0);
    return this.#members[best];
  }

  #sink(from: number): void {
    const moved = this.#heap[from]!;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#left) break;
      if (child + 1 < this.#left && this.#precedes(this.#heap[child + 1]!, this.#heap[child]!)) child += 1;
      if (!this.#precedes(this.#heap[child]!, moved)) break;
      this.#heap[at] = this.#heap[child]!;
      at = child;
    }
    this.#heap[at] = moved;
  }

  /** Equal scores fall to the smaller id: the order never depends on the order of the members. */
  #precedes(a: number, b: number): boolean {
    const difference = this.#scores[a]! - this.#scores[b]!;
    return difference !== 0 ? difference > 0 : this.#members[a]!.id < this.#members[b]!.id;
  }
}

/** The whole list, as tests and benchmarks look at it; a placement walks. */
export function preferenceOrder<M extends Member>(key: string, members: readonly M[]): M[] {
  const walk = new PreferenceWalk(key, members);
  const order: M[] = [];
  for (let member = walk.next(); member !== undefined; member = walk.next()) order.push(member);
  return order;
}

/** Compares two members for many keys, where a walk scores everybody for one. */
export class PairPreference {
  readonly #one: Member;
  readonly #other: Member;
  readonly #oneHash: IdHash;
  readonly #otherHash: IdHash;

  constructor(one: Member, other: Member) {
    this.#one = one;
    this.#other = other;
    this.#oneHash = idHash(one.id);
    this.#otherHash = idHash(other.id);
  }

  /** How much better `key` likes the first: the ratio of the scores, above 1 where it prefers it. */
  ratio(key: string): number {
    const keyLow = hash(key, 0x811c9dc5);
    const keyHigh = hash(key, 0x9747b28c);
    const one = Math.log(uniform(keyLow, keyHigh, this.#oneHash));
    const other = Math.log(uniform(keyLow, keyHigh, this.#otherHash));
    return (this.#one.usableBytes * other) / (this.#other.usableBytes * one);
  }
}

/**
 * A number in the open interval (0, 1) with 53 random bits. Two independent 32-bit hashes of each name go in: with one,
 * two of a thousand backends would share it in one fleet of ten thousand, and the second of them would get nothing.
 */
function uniform(keyLow: number, keyHigh: number, id: IdHash): number {
  const low = mix(Math.imul(keyLow, 0x9e3779b1) + id.low) >>> 5; // 27 bits
  const high = mix(Math.imul(keyHigh, 0x85ebca6b) + id.high) >>> 6; // 26 bits
  return (high * 2 ** 27 + low + 0.5) / 2 ** 53;
}

interface IdHash {
  readonly low: number;
  readonly high: number;
}

function idHash(id: string): IdHash {
  return { low: hash(id, 0x811c9dc5), high: hash(id, 0x9747b28c) };
}

/** FNV-1a over UTF-16 code units, then mixed: FNV alone leaves similar names correlated. */
function hash(text: string, seed: number): number {
  let h = seed;
  for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193);
  return mix(h);
}

/** A bijection of 32 bits in which every input bit moves half of the output bits (Wellons 2018, `lowbias32`). */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}
