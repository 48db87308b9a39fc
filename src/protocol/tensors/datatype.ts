/** The datatypes of the Open Inference Protocol V2, with the bytes of one element (little-endian on the wire). */

export const elementBytes = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  FP64: 8,
  /** Variable: each element is a 4-byte length and that many bytes. */
  BYTES: 0,
} as const;

export type Datatype = keyof typeof elementBytes;

export function isDatatype(name: unknown): name is Datatype {
  return typeof name === 'string' && Object.hasOwn(elementBytes, name);
}
