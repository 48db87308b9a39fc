import type { Signature, Tensor } from '../tensors/tensor.ts';

/** What a decoder must know of the model to check a request against it. */
export interface RequestSchema {
  readonly model: string;
  /** 0: the model does not batch, and shapes are what they are; otherwise dimension 0 of every tensor is the batch. */
  readonly maxBatchSize: number;
  readonly signature: Signature;
  /** Those that a request may name; left out: the one above has no name. */
  readonly signatures?: ReadonlyMap<string, Pick<RequestSchema, 'maxBatchSize' | 'signature'>>;
}

/** One inference as every dialect hands it to a copy: checked against the schema, in the model's order. */
export interface InferRequest {
  readonly id?: string;
  /** The signature that it named; absent: the default one. */
  readonly signatureName?: string;
  /** Optional inputs that the client left out are not here. */
  readonly inputs: readonly Tensor[];
  /** Never empty for a model that has outputs: a request that names none wants all of them. */
  readonly outputs: readonly WantedOutput[];
  /** Rows of dimension 0; 1 when the model does not batch. */
  readonly batchSize: number;
  readonly parameters: RequestParameters;
}

export interface WantedOutput {
  readonly name: string;
  /** As raw bytes after the JSON, not inside it. */
  readonly binary: boolean;
  /** The classification extension: how many of the largest values to name; 0 = the tensor itself. */
  readonly classCount: number;
}

/** Integers are bigint and reals are number, so that 1 and 1.0 stay apart as they do in gRPC. */
export type ParameterValue = string | boolean | bigint | number;

export interface RequestParameters {
  /** 1 is the highest; 0 = the model's default. */
  readonly priority: number;
  /** 0 = none asked for. */
  readonly timeoutUs: number;
  /** Absent, 0n and '' all mean: not part of a sequence; then it is absent here. */
  readonly sequenceId?: bigint | string;
  readonly sequenceStart: boolean;
  readonly sequenceEnd: boolean;
  /** Whatever else the client sent, for engines and foreign backends. */
  readonly other: ReadonlyMap<string, ParameterValue>;
}
