import fc from 'fast-check';
import { type Datatype, elementBytes } from '../../../src/protocol/tensors/datatype.ts';
import { elementCount, type Tensor } from '../../../src/protocol/tensors/tensor.ts';

/** What TensorFlow Serving's JSON carries. */
const jsonDatatypes = (Object.keys(elementBytes) as Datatype[]).filter(
  (datatype) => !['FP16', 'BF16', 'UINT16'].includes(datatype),
);

/** Any tensor that JSON keeps; with `rows`, of so many. Names ending in `_bytes` travel in base64. */
export function jsonTensor(name: string, rows?: number): fc.Arbitrary<Tensor> {
  const inner = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 });
  return fc.tuple(fc.constantFrom(...jsonDatatypes), inner).chain(([datatype, dimensions]) => {
    const shape = rows === undefined ? dimensions : [rows, ...dimensions];
    const length = elementCount(shape);
    return fc.array(element(datatype, name), { minLength: length, maxLength: length }).map((parts) => {
      const bytes = Buffer.concat(parts);
      return { name, datatype, shape, parts: [bytes], byteLength: bytes.length };
    });
  });
}

function element(datatype: Datatype, name: string): fc.Arbitrary<Uint8Array> {
  const prefixed = (bytes: Uint8Array) => Buffer.concat([Uint8Array.of(bytes.length, 0, 0, 0), bytes]);
  if (datatype === 'BOOL') return fc.boolean().map((value) => Uint8Array.of(Number(value)));
  if (datatype === 'BYTES') {
    if (name.endsWith('_bytes')) return fc.uint8Array({ maxLength: 20 }).map(prefixed);
    return fc.string({ unit: 'binary', maxLength: 20 }).map((text) => prefixed(Buffer.from(text)));
  }
  if (datatype === 'FP32') return fc.float().map((value) => new Uint8Array(Float32Array.of(value).buffer));
  if (datatype === 'FP64') return fc.double().map((value) => new Uint8Array(Float64Array.of(value).buffer));
  return fc.uint8Array({ minLength: elementBytes[datatype], maxLength: elementBytes[datatype] });
}

export const specOf = ({ name, datatype, shape }: Tensor) => ({ name, datatype, shape });
export const contents = (tensor: Tensor) => ({ ...tensor, parts: Buffer.concat(tensor.parts) });
