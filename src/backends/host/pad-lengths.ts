import { elementBytes } from '../../protocol/tensors/datatype.ts';
import { elementCount, type Tensor } from '../../protocol/tensors/tensor.ts';

/**
 * Makes all of them, of one rank, as long as the longest in each dimension but the batch. What is added is a tensor's own
 * first element, as in TensorFlow Serving (`pad_variable_length_inputs`): none of them is empty.
 */
export function padLengths(tensors: readonly Tensor[]): readonly Tensor[] {
  const [first, ...others] = tensors;
  const isEven = others.every(({ shape }) => shape.every((size, i) => i === 0 || size === first!.shape[i]));
  if (isEven) return tensors;
  const longest = first!.shape.map((_, i) => Math.max(...tensors.map(({ shape }) => shape[i]!)));
  return tensors.map((tensor) => padded(tensor, [tensor.shape[0]!, ...longest.slice(1)]));
}

function padded(tensor: Tensor, to: readonly number[]): Tensor {
  const { shape } = tensor;
  if (shape.every((size, i) => size === to[i])) return tensor;
  const bytes = Buffer.concat(tensor.parts);
  const ends = elementEnds(tensor, bytes);
  const width = to.at(-1)!;
  const filling = Buffer.concat(Array.from({ length: width }, () => bytes.subarray(0, ends[1])));
  const parts: Uint8Array[] = [];
  let from = 0;
  // Line by line of the last dimension; `inside`: the line is one of the tensor's own.
  const fill = (dimension: number, inside: boolean): void => {
    if (dimension === to.length - 1) {
      const own = inside ? shape.at(-1)! : 0;
      if (own > 0) parts.push(bytes.subarray(ends[from], ends[from + own]));
      from += own;
      if (own < width) parts.push(filling.subarray(0, (width - own) * ends[1]!));
      return;
    }
    for (let i = 0; i < to[dimension]!; i++) fill(dimension + 1, inside && i < shape[dimension]!);
  };
  fill(0, true);
  const byteLength = parts.reduce((sum, part) => sum + part.byteLength, 0);
  return { ...tensor, shape: to, parts: [Buffer.concat(parts)], byteLength };
}

/** Where each element begins, and the last one ends. */
function elementEnds({ datatype, shape }: Tensor, bytes: Buffer): number[] {
  const ends = [0];
  const count = elementCount(shape);
  for (let i = 0, at = 0; i < count; i++) {
    at += datatype === 'BYTES' ? 4 + bytes.readUInt32LE(at) : elementBytes[datatype];
    ends.push(at);
  }
  return ends;
}
