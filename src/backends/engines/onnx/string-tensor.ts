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
  try {
    fillStrings(api, value, encoded, elements);
  } catch (fault) {
    api.release('ReleaseValue', value);
    throw fault;
  }
  return value;
}

/**
 * One call hands over all strings as C strings, which end at their first NUL; those that hold one are then written again
 * by themselves. Writing each by itself took 4 µs, on the event loop.
 */
function fillStrings(api: RuntimeEnvironment['api'], value: Pointer, encoded: Buffer, elements: number): void {
  if (elements === 0) return;
  const text = Buffer.from(new ArrayBuffer(Math.max(minOffHeapBytes, encoded.length + 1)));
  encoded.copy(text);
  const base = Number(koffi.address(text)); // below 2^53: user space ends at 2^48
  const pointers = new Uint32Array(new ArrayBuffer(Math.max(minOffHeapBytes, elements * 8)));
  const withNul: { index: number; start: number; end: number }[] = [];
  let end = 0;
  for (let i = 0; i < elements; i++) {
    const start = end + 4;
    end = start + encoded.readUInt32LE(end);
    if (end > encoded.length) throw new RangeError('a string is longer than its tensor');
    const nulAt = encoded.indexOf(0, start);
    if (nulAt >= 0 && nulAt < end) withNul.push({ index: i, start, end });
    text[end] = 0; // where the length of the next one was
    pointers[2 * i] = (base + start) % 0x1_0000_0000;
    pointers[2 * i + 1] = Math.floor((base + start) / 0x1_0000_0000);
  }
  api.call('FillStringTensor', value, pointers, elements);
  for (const { index, start, end: stop } of withNul) {
    const target = api.create('GetResizedStringTensorElementBuffer', value, index, stop - start);
    encoded.copy(Buffer.from(koffi.view(target, stop - start)), 0, start, stop);
  }
}

/** Over 64 bytes, so that V8 keeps the buffer outside its own heap, where the collector does not move it. */
const minOffHeapBytes = 128;

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
