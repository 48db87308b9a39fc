import { SkeinError } from '../../protocol/errors.ts';
import { elementBytes } from '../../protocol/tensors/datatype.ts';
import { elementCount, type Tensor } from '../../protocol/tensors/tensor.ts';

/** The smallest of the allowed sizes, which ascend, that holds so many rows; the rows where none does. */
export function paddedRows(rows: number, allowed: readonly number[]): number {
  return allowed.find((size) => size >= rows) ?? rows;
}

/** Fills each input up with its first row, as TensorFlow Serving does: values that the model has seen cannot surprise it. */
export function padInputs(inputs: readonly Tensor[], rows: number, padded: number): readonly Tensor[] {
  return inputs.map((tensor) => {
    const row = Buffer.concat(tensor.parts).subarray(0, endOfRows(tensor, 1));
    const parts = [...tensor.parts, ...Array.from({ length: padded - rows }, () => row)];
    const byteLength = tensor.byteLength + (padded - rows) * row.byteLength;
    return { ...tensor, shape: [padded, ...tensor.shape.slice(1)], parts, byteLength };
  });
}

/** An output without the rows that were only filled in. */
export function cutPadding(output: Tensor, rows: number, padded: number, model: string): Tensor {
  checkRows(output, padded, model);
  return sliceRows(output, 0, rows);
}

/** Throws `batch_not_split` where the model gave another number of rows than it was given. */
export function checkRows(output: Tensor, rows: number, model: string): void {
  if (output.shape[0] === rows) return;
  throw new SkeinError('batch_not_split', { model, output: output.name, got: `[${output.shape.join(',')}]`, rows });
}

/** The rows from `start` up to `end`, as a view. */
export function sliceRows(tensor: Tensor, start: number, end: number): Tensor {
  const bytes = tensor.parts.length === 1 ? tensor.parts[0]! : Buffer.concat(tensor.parts);
  const whole = { ...tensor, parts: [bytes] };
  const own = bytes.subarray(endOfRows(whole, start), endOfRows(whole, end));
  return { ...tensor, shape: [end - start, ...tensor.shape.slice(1)], parts: [own], byteLength: own.byteLength };
}

/** Where the first `rows` rows of a tensor end. */
function endOfRows({ datatype, shape, parts }: Tensor, rows: number): number {
  const elements = rows * elementCount(shape.slice(1));
  if (datatype !== 'BYTES') return elements * elementBytes[datatype];
  const bytes = Buffer.concat(parts);
  let end = 0;
  for (let n = elements; n > 0; n--) end += 4 + bytes.readUInt32LE(end);
  return end;
}
