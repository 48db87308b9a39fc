import { type ElementType, elementTypes } from './element-type.ts';
import { ProtoMessage } from './wire.ts';

/** Where a tensor's bytes are when they are not in the model's own file; `location` is relative to that file. */
interface ExternalBytes {
  readonly location: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** A constant: little-endian row-major bytes, or strings, or a reference to another file. */
export interface ConstantTensor {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data:
    | { readonly raw: Uint8Array }
    | { readonly strings: readonly string[] }
    | { readonly external: ExternalBytes };
}

type NumericArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** A tensor over `values`; they are not copied. Throws if the shape does not hold exactly as many bytes. */
export function tensorOf(type: ElementType, shape: readonly number[], values: NumericArray): ConstantTensor {
  const wantedBytes = elementTypes[type].bytes * shape.reduce((count, dimension) => count * dimension, 1);
  if (values.byteLength !== wantedBytes) {
    throw new RangeError(`a ${type} tensor of shape [${shape}] takes ${wantedBytes} bytes, got ${values.byteLength}`);
  }
  return { type, shape, data: { raw: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) } };
}

export function floats(shape: readonly number[], values: readonly number[] | Float32Array): ConstantTensor {
  return tensorOf('float', shape, values instanceof Float32Array ? values : Float32Array.from(values));
}

/** A vector of INT64, the type of shapes, axes and trip counts. */
export function int64s(values: readonly number[]): ConstantTensor {
  return tensorOf(
    'int64',
    [values.length],
    BigInt64Array.from(values, (value) => BigInt(value)),
  );
}

/** A TensorProto. */
export function encodeTensor(name: string, { type, shape, data }: ConstantTensor): ProtoMessage {
  const message = new ProtoMessage();
  for (const dimension of shape) message.int(1, dimension);
  message.int(2, elementTypes[type].code);
  if ('strings' in data) for (const text of data.strings) message.string(6, text);
  message.string(8, name);
  if ('raw' in data) message.bytes(9, data.raw);
  if ('external' in data) {
    const { location, offsetBytes, sizeBytes } = data.external;
    const entries = { location, offset: String(offsetBytes), length: String(sizeBytes) };
    for (const [key, value] of Object.entries(entries)) {
      message.message(13, new ProtoMessage().string(1, key).string(2, value));
    }
    message.int(14, 1); // DataLocation.EXTERNAL
  }
  return message;
}
