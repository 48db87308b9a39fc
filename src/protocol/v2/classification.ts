import { SkeinError } from '../errors.ts';
import type { Datatype } from '../tensors/datatype.ts';
import type { Tensor } from '../tensors/tensor.ts';
import { hasTypedElements, type TypedDatatype, typedElements } from './typed-elements.ts';

type ClassValue = number | bigint;

export function canBeClassified(datatype: Datatype): datatype is TypedDatatype {
  return datatype !== 'BOOL' && hasTypedElements(datatype);
}

/**
 * The classification extension: an output as the strings `value:index[:label]` of its largest values, largest first, for
 * each row of the batch. Equal values keep the order of their indices; NaN comes last.
 */
export function classify(tensor: Tensor, classCount: number, labels: readonly string[], batched: boolean): Tensor {
  const { name, datatype, shape } = tensor;
  if (!canBeClassified(datatype)) throw new SkeinError('class_datatype', { datatype });
  const values = typedElements(tensor, datatype);
  const rows = batched && shape.length > 0 ? shape[0]! : 1;
  const rowLength = rows === 0 ? 0 : values.length / rows;
  const count = Math.min(classCount, rowLength);
  const real = datatype === 'FP32' || datatype === 'FP64';
  const elements: Buffer[] = [];
  for (let row = 0; row < rows; row++) {
    const rowValues = values.subarray(row * rowLength, (row + 1) * rowLength);
    for (const index of largestIndices(rowValues, count)) {
      const value = rowValues[index]!;
      const label = labels[index];
      const text = `${real ? fixedText(Number(value)) : value}:${index}`;
      elements.push(stringElement(label === undefined || label === '' ? text : `${text}:${label}`));
    }
  }
  const bytes = Buffer.concat(elements);
  return {
    name,
    datatype: 'BYTES',
    shape: batched ? [rows, count] : [count],
    parts: [bytes],
    byteLength: bytes.byteLength,
  };
}

function stringElement(text: string): Buffer {
  const byteLength = Buffer.byteLength(text);
  const element = Buffer.allocUnsafe(4 + byteLength);
  element.writeUInt32LE(byteLength);
  element.write(text, 4);
  return element;
}

/** Up to so many classes are kept in order while the values pass by; beyond, sorting all is cheaper. */
const fewClasses = 128;

function largestIndices(values: ArrayLike<ClassValue>, count: number): ArrayLike<number> & Iterable<number> {
  const isBefore = (a: number, b: number) => comesBefore(values[a]!, values[b]!);
  if (count > fewClasses) {
    const all = Uint32Array.from(values, (_, index) => index);
    return all.sort((a, b) => (isBefore(a, b) ? -1 : isBefore(b, a) ? 1 : a - b)).subarray(0, count);
  }
  const best: number[] = [];
  for (let index = 0; index < values.length; index++) {
    if (best.length === count && (count === 0 || !isBefore(index, best[count - 1]!))) continue;
    let at = best.length;
    while (at > 0 && isBefore(index, best[at - 1]!)) at--;
    best.splice(at, 0, index);
    if (best.length > count) best.pop();
  }
  return best;
}

function comesBefore(a: ClassValue, b: ClassValue): boolean {
  return a > b || (Number.isNaN(b) && !Number.isNaN(a));
}

/** What C's "%f" prints: six decimals, an exact tie to the even digit. */
export function fixedText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.000000';
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}.000000`;
  // toFixed rounds ties up; they are the odd multiples of 1 / 128, which seven decimals write exactly
  const tie = Number.isInteger(value * 128) && !Number.isInteger(value * 64);
  const exact = value.toFixed(7);
  return tie && Number(exact.at(-2)) % 2 === 0 ? exact.slice(0, -1) : value.toFixed(6);
}
