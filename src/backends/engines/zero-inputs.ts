import { elementBytes } from '../../protocol/tensors/datatype.ts';
import { elementCount, type Signature, type Tensor } from '../../protocol/tensors/tensor.ts';

/** Trial runs larger than this a row are not made: measuring must not cost more than the model. */
const maxRowBytes = 16 * 1024 * 1024;

/**
 * Inputs of so many rows that are all zeros, to measure a model with; undefined where shapes beside the batch are free, as
 * what clients will send is not known, or where they are too large.
 */
export function zeroInputs({ inputs }: Signature, rows: number): Tensor[] | undefined {
  const zeros: Tensor[] = [];
  let bytes = 0;
  for (const { name, datatype, shape, anyRank } of inputs) {
    if (datatype === 'BYTES' || anyRank === true || shape.slice(1).some((dimension) => dimension < 0)) return undefined;
    const full = shape.map((dimension) => (dimension < 0 ? rows : dimension));
    const byteLength = elementCount(full) * elementBytes[datatype];
    bytes += byteLength;
    if (bytes > maxRowBytes * rows) return undefined;
    zeros.push({ name, datatype, shape: full, parts: [new Uint8Array(byteLength)], byteLength });
  }
  return bytes > 0 ? zeros : undefined;
}
