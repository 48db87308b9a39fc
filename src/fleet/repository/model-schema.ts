import type { Signature } from '../../protocol/tensors/tensor.ts';

/** What clients must send and will get: the configuration and the model's own signature brought together. */
export interface ModelSchema {
  /** 0: requests carry no batch dimension. */
  readonly maxBatchSize: number;
  /** Full shapes as clients see them: where the model batches, the first dimension is -1. */
  readonly signature: Signature;
}
