/**
 * Triton's `reshape`: clients see `dims`, the engine sees another shape of the same elements (dims [1000], engine
 * [1, 1000, 1, 1]). Only shapes change, never bytes. Both are without the batch dimension, which stays in front.
 *
 * The i-th free dimension of one is the i-th free dimension of the other, and the fixed dimensions between two free ones
 * have the same product in both: [2, 4, -1, 6] may become [8, -1, 1, 6].
 */
export interface Reshape {
  /** Whether the first dimension of a full shape is the batch. */
  readonly batched: boolean;
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** The full shape after the change: of a request for the engine, or of the engine's answer for the client. */
export function reshaped(shape: readonly number[], { batched, from, to }: Reshape): number[] {
  const offset = batched ? 1 : 0;
  const free = from.flatMap((dimension, i) => (dimension === -1 ? [shape[i + offset] ?? -1] : []));
  let next = 0;
  return [...shape.slice(0, offset), ...to.map((dimension) => (dimension === -1 ? (free[next++] ?? -1) : dimension))];
}

/** The same change the other way round. */
export function reversed({ batched, from, to }: Reshape): Reshape {
  return { batched, from: to, to: from };
}

export function sameElementCount(dims: readonly number[], reshape: readonly number[]): boolean {
  const a = stretches(dims);
  const b = stretches(reshape);
  return a.length === b.length && a.every((count, i) => count === b[i]);
}

/** Elements of each stretch of fixed dimensions between free ones; 1 for an empty stretch. */
function stretches(dims: readonly number[]): number[] {
  const counts = [1];
  for (const dimension of dims) {
    if (dimension === -1) counts.push(1);
    else counts[counts.length - 1]! *= dimension;
  }
  return counts;
}
