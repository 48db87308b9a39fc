/**
 * Counts of latencies in buckets that grow with them, so that a quantile is known to 0.2 % from 0.1 microseconds to seven
 * minutes, in 48 KiB and without keeping a single value. The layout is that of HdrHistogram (Gil Tene): the first 1024 ticks
 * have a bucket each, every octave above has 512.
 */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(bucketCount);
  #count = 0;
  #sumUs = 0;
  #maxUs = 0;
  #minUs = Infinity;

  record(us: number): void {
    this.#counts[bucketOf(us)]!++;
    this.#count++;
    this.#sumUs += us;
    if (us > this.#maxUs) this.#maxUs = us;
    if (us < this.#minUs) this.#minUs = us;
  }

  add(other: LatencyHistogram): void {
    for (let bucket = 0; bucket < bucketCount; bucket++) this.#counts[bucket]! += other.#counts[bucket]!;
    this.#count += other.#count;
    this.#sumUs += other.#sumUs;
    this.#maxUs = Math.max(this.#maxUs, other.#maxUs);
    this.#minUs = Math.min(this.#minUs, other.#minUs);
  }

  get count(): number {
    return this.#count;
  }

  /** 0 of nothing, as all that follow. */
  get meanUs(): number {
    return this.#count === 0 ? 0 : this.#sumUs / this.#count;
  }

  get maxUs(): number {
    return this.#maxUs;
  }

  get minUs(): number {
    return this.#count === 0 ? 0 : this.#minUs;
  }

  /** The latency that `percent` of all do not pass (nearest rank), at the upper end of its bucket. */
  percentileUs(percent: number): number {
    const rank = Math.max(1, Math.ceil((percent / 100) * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += this.#counts[bucket]!;
      if (seen >= rank) return Math.min(this.#maxUs, upperUs(bucket));
    }
    return this.#maxUs;
  }
}

const ticksPerUs = 10;
/** Ticks are counted in 32 bits: what is longer than 429 s counts as that; the maximum stays exact. */
const maxTicks = 2 ** 32 - 1;
const linearTicks = 1024;
const perOctave = linearTicks / 2;
const bucketCount = linearTicks + perOctave * (32 - Math.log2(linearTicks));

function bucketOf(us: number): number {
  const ticks = Math.min(maxTicks, Math.max(0, Math.floor(us * ticksPerUs)));
  if (ticks < linearTicks) return ticks;
  // Octave 1 is [1024, 2048): its ticks are taken by twos, those of octave 2 by fours.
  const octave = 22 - Math.clz32(ticks);
  return linearTicks + (octave - 1) * perOctave + ((ticks >>> octave) - perOctave);
}

function upperUs(bucket: number): number {
  if (bucket < linearTicks) return (bucket + 1) / ticksPerUs;
  const octave = Math.floor((bucket - linearTicks) / perOctave) + 1;
  const place = ((bucket - linearTicks) % perOctave) + perOctave;
  return ((place + 1) * 2 ** octave) / ticksPerUs;
}
