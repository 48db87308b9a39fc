import { SkeinError } from '../../protocol/errors.ts';
import { elementBytes } from '../../protocol/tensors/datatype.ts';
import { elementCount, type Tensor } from '../../protocol/tensors/tensor.ts';
import type { InferWork } from './infer-work.ts';
import { padLengths } from './pad-lengths.ts';

/** Inputs of one run: the requests' rows one after the other, still in the pieces they came in; the shorter ones padded. */
export function joinInputs(items: readonly InferWork[], rows: number): readonly Tensor[] {
  const first = items[0]!.request.inputs;
  if (items.length === 1) return first;
  return first.map((tensor, i) => {
    const parts: Uint8Array[] = [];
    let byteLength = 0;
    const all = padLengths(items.map(({ request }) => request.inputs[i]!));
    for (const own of all) {
      for (const part of own.parts) parts.push(part);
      byteLength += own.byteLength;
    }
    const shape = [rows, ...all[0]!.shape.slice(1)];
    return { name: tensor.name, datatype: tensor.datatype, shape, parts, byteLength };
  });
}

/** A view of this size may keep the whole batch's output alive while a slow client reads; larger slices are copied. */
const maxViewBytes = 16 * 1024;

/**
 * Cuts a run's output into each request's rows. Throws `batch_not_split` where the model's output does not have the
 * rows that went in: its answer cannot be told apart.
 */
export function splitOutput(
  output: Tensor,
  items: readonly InferWork[],
  rows: number,
  model: string,
): readonly Tensor[] {
  if (items.length === 1) return [output];
  if (output.shape[0] !== rows) {
    throw new SkeinError('batch_not_split', { model, output: output.name, got: `[${output.shape.join(',')}]`, rows });
  }
  const bytes = output.parts[0]!;
  const ends = rowEnds(output, bytes, items);
  let start = 0;
  return items.map((item, i) => {
    const view = bytes.subarray(start, ends[i]!);
    start = ends[i]!;
    const own = view.byteLength > maxViewBytes ? Buffer.from(view) : view;
    return {
      name: output.name,
      datatype: output.datatype,
      shape: [item.rows, ...output.shape.slice(1)],
      parts: [own],
      byteLength: own.byteLength,
    };
  });
}

/** For each item the offset where its rows end. */
function rowEnds(output: Tensor, bytes: Uint8Array, items: readonly InferWork[]): number[] {
  const perRow = elementCount(output.shape.slice(1));
  let end = 0;
  if (output.datatype !== 'BYTES') {
    const rowBytes = perRow * elementBytes[output.datatype];
    return items.map((item) => {
      end += item.rows * rowBytes;
      return end;
    });
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return items.map((item) => {
    for (let n = item.rows * perRow; n > 0; n--) end += 4 + view.readUInt32LE(end);
    return end;
  });
}
