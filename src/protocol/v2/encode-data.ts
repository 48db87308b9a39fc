import { SkeinError } from '../errors.ts';
import type { Tensor } from '../tensors/tensor.ts';
import type { TextParts } from './text-parts.ts';
import { stringElements, type TypedElements, typedElements } from './typed-elements.ts';

/** Writes the elements of a tensor as JSON, flat and with commas between them. */
export function encodeData(tensor: Tensor, text: TextParts): void {
  const { datatype } = tensor;
  switch (datatype) {
    case 'FP16':
    case 'BF16':
      throw new SkeinError('half_float_json_out', { datatype });
    case 'BYTES':
      encodeStrings(tensor, text);
      return;
    case 'BOOL':
      encodeBooleans(typedElements(tensor, datatype), text);
      return;
    case 'FP32':
    case 'FP64':
      encodeReals(typedElements(tensor, datatype) as Float32Array | Float64Array, text);
      return;
    default:
      encodeIntegers(typedElements(tensor, datatype), text);
  }
}

/** Elements joined at a time: enough for the native join, too few for a string to grow out of bounds. */
const joinedAtOnce = 8192;

function encodeIntegers(elements: TypedElements, text: TextParts): void {
  for (let at = 0; at < elements.length; at += joinedAtOnce) {
    if (at > 0) text.add(',');
    text.add(elements.subarray(at, at + joinedAtOnce).join(','));
  }
}

function encodeBooleans(elements: TypedElements, text: TextParts): void {
  for (let at = 0; at < elements.length; at++) {
    text.add(`${at > 0 ? ',' : ''}${elements[at] === 0 ? 'false' : 'true'}`);
  }
}

/** Reals written at a time: few, because one that JSON.stringify writes otherwise than RapidJSON slows down them all. */
const realsAtOnce = 256;

function encodeReals(elements: Float32Array | Float64Array, text: TextParts): void {
  for (let start = 0; start < elements.length; start += realsAtOnce) {
    const values = Array.from(elements.subarray(start, start + realsAtOnce));
    const joined = values.every(isFraction) ? JSON.stringify(values).slice(1, -1) : values.map(realText).join(',');
    text.add(start > 0 ? `,${joined}` : joined);
  }
}

/** Neither an integer nor NaN nor infinite: the native writer, twice as fast, then writes the same text. */
function isFraction(value: number): boolean {
  return Number.isFinite(value) && !Number.isInteger(value);
}

/**
 * The shortest text of a double, as RapidJSON writes it: always with a point or an exponent, so that a reader knows a
 * real; no plus in the exponent; NaN and Infinity bare, which is no JSON, but what clients of these models read.
 */
function realText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return Object.is(value, -0) ? '-0.0' : `${value}.0`;
  const text = String(value);
  return text.includes('+') ? text.replace('+', '') : text;
}

/** Bytes that are no UTF-8 become U+FFFD: a JSON text cannot hold them, and a client that wants them asks for binary. */
function encodeStrings(tensor: Tensor, text: TextParts): void {
  let separator = '';
  for (const element of stringElements(tensor)) {
    text.add(separator + JSON.stringify(element.toString('utf8')));
    separator = ',';
  }
}
