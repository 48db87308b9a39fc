import { type ErrorCode, type ErrorFacts, SkeinError } from '../errors.ts';
import type { JsonSpan } from '../json/json-span.ts';
import { readTensorData } from '../json/tensor-data.ts';
import { isDatatype } from '../tensors/datatype.ts';
import { elementCount } from '../tensors/tensor.ts';
import { type InputDocument, notAnArray, readInferDocument } from './infer-document.ts';
import { readShape } from './read-shape.ts';

/** Arrays shorter than this are left where they are. */
const cutBytes = 16 * 1024;

/**
 * The JSON of an infer request without its large arrays, which were read already. It can cross threads: what is wrong in
 * an array is told by code, and thrown where the array would have been read.
 */
export interface AheadText {
  /** With `[]` in the place of each array that was cut out. */
  readonly text: Uint8Array<ArrayBuffer>;
  readonly arrays: readonly AheadArray[];
}

export interface AheadArray {
  /** Where its `[]` stands. */
  readonly at: number;
  readonly read: Uint8Array | { readonly code: ErrorCode; readonly facts: ErrorFacts };
}

/** Throws where the text is no JSON; whatever else is wrong with the request is left to who knows the model. */
export function readAhead(text: Buffer): AheadText {
  const { inputs } = readInferDocument(text, () => {});
  const arrays: AheadArray[] = [];
  const parts: Uint8Array[] = [];
  let from = 0;
  let cut = 0;
  for (const input of inputs === undefined || inputs === notAnArray ? [] : inputs) {
    const span = input.data;
    if (span === undefined || span === notAnArray || span.end - span.start < cutBytes) continue;
    const read = readArray(text, span, input);
    if (read === undefined) continue;
    arrays.push({ at: span.start - cut, read });
    parts.push(text.subarray(from, span.start), emptyArray);
    cut += span.end - span.start - emptyArray.byteLength;
    from = span.end;
  }
  parts.push(text.subarray(from));
  const left = new Uint8Array(text.byteLength - cut);
  let at = 0;
  for (const part of parts) {
    left.set(part, at);
    at += part.byteLength;
  }
  return { text: left, arrays };
}

const emptyArray = Buffer.from('[]');

function readArray(text: Buffer, span: JsonSpan, { datatype, shape }: InputDocument): AheadArray['read'] | undefined {
  if (typeof datatype !== 'string' || !isDatatype(datatype) || datatype === 'FP16' || datatype === 'BF16')
    return undefined;
  let count: number;
  try {
    count = elementCount(readShape(shape, ''));
  } catch {
    return undefined; // is found again, and told, where the array would be read
  }
  try {
    return readTensorData(text, span, datatype, count);
  } catch (fault) {
    const { code, facts } = SkeinError.from(fault);
    return { code, facts };
  }
}

/** The elements of an array that was cut out, or undefined; throws what is wrong with it. */
export function aheadElements(arrays: readonly AheadArray[] | undefined, at: number): Uint8Array | undefined {
  const read = arrays?.find((array) => array.at === at)?.read;
  if (read === undefined || read instanceof Uint8Array) return read;
  throw new SkeinError(read.code, read.facts);
}
