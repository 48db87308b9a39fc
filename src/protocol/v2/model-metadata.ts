import type { Datatype } from '../tensors/datatype.ts';

/** Body of GET /v2/models/{model}[/versions/{version}]. */
export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

export interface TensorMetadata {
  readonly name: string;
  readonly datatype: Datatype;
  /** The full shape: a leading -1 is the batch dimension where the model batches. */
  readonly shape: readonly number[];
}
