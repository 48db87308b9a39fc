import type { Datatype } from '../../../protocol/tensors/datatype.ts';

/** DataType of TensorFlow's types.proto, for the datatypes that V2 has. */
export const dataTypeOf: Readonly<Record<Datatype, number>> = {
  FP32: 1,
  FP64: 2,
  INT32: 3,
  UINT8: 4,
  INT16: 5,
  INT8: 6,
  BYTES: 7,
  INT64: 9,
  BOOL: 10,
  BF16: 14,
  UINT16: 17,
  FP16: 19,
  UINT32: 22,
  UINT64: 23,
};

const datatypes = new Map(Object.entries(dataTypeOf).map(([datatype, code]) => [code, datatype as Datatype]));

/** Undefined for types that V2 cannot carry: complex and quantised numbers, resources, variants. */
export function datatypeOf(dataType: number): Datatype | undefined {
  return datatypes.get(dataType);
}
