import koffi from 'koffi';
import type { RuntimeEnvironment } from './environment.ts';
import type { Pointer } from './runtime-api.ts';
import type { ShapeArgument } from './tensor-values.ts';

/**
 * Strings cross as bytes with lengths, never as C strings: a NUL is a byte like any other (Triton cuts there).
 */

/** An OrtValue of strings from V2's form: 4-byte length and bytes, element after element. */
export function createStringTensor(
  runtime: RuntimeEnvironment,
  encoded: Buffer,
  shape: ShapeArgument,
  elements: number,
  stringType: number,
): Pointer {
  const { api, allocator } = runtime;
  const value = api.create('CreateTensorAsOrtValue', allocator, shape.dimensions, shape.rank, stringType);
  let offset = 0;
  for (let i = 0; i < elements; i++) {
    const length = encoded.readUInt32LE(offset);
    offset += 4;
    const target = api.create('GetResizedStringTensorElementBuffer', value, i, length);
    if (length > 0) encoded.copy(Buffer.from(koffi.view(target, length)), 0, offset, offset + length);
    offset += length;
  }
  return value;
}

/** The elements of an OrtValue of strings in V2's form. */
export function readStringTensor({ api }: RuntimeEnvironment, value: Pointer, elements: number): Buffer {
  const bytes = api.number('GetStringTensorDataLength', value);
  const text = Buffer.allocUnsafe(Math.max(1, bytes));
  const offsets = new BigUint64Array(Math.max(1, elements));
  if (elements > 0) api.call('GetStringTensorContent', value, text, bytes, offsets, elements);
  const encoded = Buffer.allocUnsafe(bytes + 4 * elements);
  let at = 0;
  for (let i = 0; i < elements; i++) {
    const start = Number(offsets[i]);
    const end = i + 1 < elements ? Number(offsets[i + 1]) : bytes;
    encoded.writeUInt32LE(end - start, at);
    text.copy(encoded, at + 4, start, end);
    at += 4 + end - start;
  }
  return encoded;
}
