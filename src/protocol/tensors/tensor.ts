import type { Datatype } from './datatype.ts';

/**
 * One tensor as it travels: row-major, little-endian, no padding; BYTES elements each carry their 4-byte length.
 *
 * `parts` are the pieces in which the bytes arrived from the network, in order. They are copied once, into the batch
 * buffer, and never joined before. No piece may be changed by anyone who is handed it.
 */
export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly parts: readonly Uint8Array[];
  readonly byteLength: number;
}

/** What a model declares of one input or output. A dimension of -1 is free. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  /** The full shape, batch dimension included (as -1) where the model batches. */
  readonly shape: readonly number[];
  /** Even the number of dimensions is free; `shape` is then [-1] and binds nobody. */
  readonly anyRank?: true;
  /** What the graph calls it, for those who ask, where that is another name. */
  readonly graphName?: string;
  /** Only inputs: may be left out of a request. */
  readonly optional?: boolean;
}

export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** Number of elements; 1 for a scalar. Every dimension must be known. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const dimension of shape) count *= dimension;
  return count;
}
