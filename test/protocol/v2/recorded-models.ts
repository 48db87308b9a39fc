import type { Datatype } from '../../../src/protocol/tensors/datatype.ts';
import type { TensorSpec } from '../../../src/protocol/tensors/tensor.ts';
import type { RequestSchema } from '../../../src/protocol/v2/infer-request.ts';

/** The models behind the recorded answers of Triton. */

export function schema(
  model: string,
  maxBatchSize: number,
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
): RequestSchema {
  return { model, maxBatchSize, signature: { inputs, outputs } };
}

export function spec(name: string, datatype: Datatype, shape: readonly number[]): TensorSpec {
  return { name, datatype, shape };
}

/** INPUT0 + INPUT1 and INPUT0 - INPUT1, up to 8 rows. */
export const simple = schema(
  'simple',
  8,
  [spec('INPUT0', 'INT32', [-1, 16]), spec('INPUT1', 'INT32', [-1, 16])],
  [spec('OUTPUT0', 'INT32', [-1, 16]), spec('OUTPUT1', 'INT32', [-1, 16])],
);

/** OUTPUT0 = INPUT0. */
export function identity(model: string, datatype: Datatype, maxBatchSize: number, shape: number[]): RequestSchema {
  return schema(model, maxBatchSize, [spec('INPUT0', datatype, shape)], [spec('OUTPUT0', datatype, shape)]);
}

export const simpleIdentity = identity('simple_identity', 'BYTES', 8, [-1, -1]);
export const identityFp32 = identity('identity_fp32', 'FP32', 8, [-1, 16]);
export const idInt64 = identity('id_int64', 'INT64', 0, [-1]);
export const idString = identity('id_string', 'BYTES', 0, [-1]);
export const idHalf = identity('id_float16', 'FP16', 0, [-1]);

export const counting = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
export const ones = Array<number>(16).fill(1);

/** JSON of an input; `more` replaces or adds members, undefined leaves one out. */
export function input(name: string, more: object = {}): object {
  return { name, shape: [1, 16], datatype: 'INT32', data: name === 'INPUT0' ? counting : ones, ...more };
}
