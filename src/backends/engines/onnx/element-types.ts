import type { Datatype } from '../../../protocol/tensors/datatype.ts';

/** ONNXTensorElementDataType of onnxruntime_c_api.h, for the datatypes that V2 has. */
export const elementTypeOf: Readonly<Record<Datatype, number>> = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  UINT32: 12,
  UINT64: 13,
  BF16: 16,
};

const datatypes = new Map(Object.entries(elementTypeOf).map(([datatype, code]) => [code, datatype as Datatype]));

/** Undefined for types that V2 cannot carry: complex numbers, 4-bit integers, 8-bit floats. */
export function datatypeOf(elementType: number): Datatype | undefined {
  return datatypes.get(elementType);
}
