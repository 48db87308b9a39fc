import type { Datatype } from '../tensors/datatype.ts';

interface DataTypeFacts {
  /** In tensorflow.DataType (tensorflow/core/framework/types.proto). */
  readonly number: number;
  /** As TensorFlow writes it in errors. */
  readonly name: string;
  /** As metadata has it. */
  readonly enumName: string;
}

/** TensorFlow's names of the datatypes that travel here. */
const facts = {
  FP32: { number: 1, name: 'float', enumName: 'DT_FLOAT' },
  FP64: { number: 2, name: 'double', enumName: 'DT_DOUBLE' },
  INT32: { number: 3, name: 'int32', enumName: 'DT_INT32' },
  UINT8: { number: 4, name: 'uint8', enumName: 'DT_UINT8' },
  INT16: { number: 5, name: 'int16', enumName: 'DT_INT16' },
  INT8: { number: 6, name: 'int8', enumName: 'DT_INT8' },
  BYTES: { number: 7, name: 'string', enumName: 'DT_STRING' },
  INT64: { number: 9, name: 'int64', enumName: 'DT_INT64' },
  BOOL: { number: 10, name: 'bool', enumName: 'DT_BOOL' },
  BF16: { number: 14, name: 'bfloat16', enumName: 'DT_BFLOAT16' },
  UINT16: { number: 17, name: 'uint16', enumName: 'DT_UINT16' },
  FP16: { number: 19, name: 'half', enumName: 'DT_HALF' },
  UINT32: { number: 22, name: 'uint32', enumName: 'DT_UINT32' },
  UINT64: { number: 23, name: 'uint64', enumName: 'DT_UINT64' },
} as const satisfies Record<Datatype, DataTypeFacts>;

const byNumber: ReadonlyMap<number, Datatype> = new Map(
  (Object.keys(facts) as Datatype[]).map((datatype) => [facts[datatype].number, datatype]),
);

export function dataTypeOf(datatype: Datatype): DataTypeFacts {
  return facts[datatype];
}

/** Undefined for types that have no tensors here: complex, quantised, resource, variant. */
export function datatypeOfNumber(number: number): Datatype | undefined {
  return byNumber.get(number);
}
