import type { Signature } from '../../protocol/tensors/tensor.ts';
import type { ModelConfig } from './model-config.ts';
import type { Reshape } from './reshape.ts';

/** What clients must send and will get: the configuration and the model's own signature brought together. */
export interface ModelSchema {
  /** 0: requests carry no batch dimension. */
  readonly maxBatchSize: number;
  /** Full shapes as clients see them: where the model batches, the first dimension is -1. */
  readonly signature: Signature;
}

/** One signature as clients see it, and what lies between that and the engine's view. */
export interface CompletedSignature {
  readonly schema: ModelSchema;
  /** By input: from the request's shape to the engine's. An input that is not here goes as it came. */
  readonly inputReshapes: ReadonlyMap<string, Reshape>;
  /** By output: from the engine's shape to the answer's. */
  readonly outputReshapes: ReadonlyMap<string, Reshape>;
}

/** The configuration, completed, and the signature that it describes. */
export interface CompletedModel extends CompletedSignature {
  readonly config: ModelConfig;
}
