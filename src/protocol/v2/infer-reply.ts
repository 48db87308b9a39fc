import type { Tensor } from '../tensors/tensor.ts';

export interface InferReply {
  readonly model: string;
  readonly version: string;
  /** Echoed when the request had one. */
  readonly id?: string;
  readonly outputs: readonly ReplyOutput[];
  /** Dimension 0 of the outputs is the batch: classes are then named for each row instead of the whole tensor. */
  readonly batched?: boolean;
}

export interface ReplyOutput {
  readonly tensor: Tensor;
  readonly binary: boolean;
  /** See WantedOutput. */
  readonly classCount: number;
  /** Names of classes by index, for the classification extension; an index beyond the list has no name. */
  readonly labels?: readonly string[];
}

/** A message body ready to be written: the JSON first, then the bytes of the binary outputs, uncopied. */
export interface EncodedBody {
  /** For the header Inference-Header-Content-Length; undefined = the body is JSON alone. */
  readonly headerLength: number | undefined;
  readonly parts: readonly Uint8Array[];
  readonly byteLength: number;
}
