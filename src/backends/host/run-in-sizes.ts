import { SkeinError } from '../../protocol/errors.ts';
import type { Tensor } from '../../protocol/tensors/tensor.ts';
import type { BatchingOptions } from '../batching/batching-options.ts';
import { checkRows, cutPadding, paddedRows, padInputs, sliceRows } from './batch-padding.ts';

/**
 * Runs a batch in the sizes that the options allow: in pieces of `splitRows`, one after the other, each filled up to the
 * next of `allowedRows`. The outputs are of the rows that came.
 */
export async function runInSizes(
  inputs: readonly Tensor[],
  rows: number,
  { splitRows = Infinity, allowedRows }: Pick<BatchingOptions, 'splitRows' | 'allowedRows'>,
  run: (inputs: readonly Tensor[]) => Promise<readonly Tensor[]>,
  model: string,
): Promise<readonly Tensor[]> {
  const runFilled = async (piece: readonly Tensor[], own: number) => {
    const full = allowedRows === undefined ? own : paddedRows(own, allowedRows);
    if (full === own) return run(piece);
    const outputs = await run(padInputs(piece, own, full));
    return outputs.map((output) => cutPadding(output, own, full, model));
  };
  if (rows <= splitRows) return runFilled(inputs, rows);
  const pieces: (readonly Tensor[])[] = [];
  for (let start = 0; start < rows; start += splitRows) {
    const end = Math.min(rows, start + splitRows);
    const outputs = await runFilled(
      inputs.map((input) => sliceRows(input, start, end)),
      end - start,
    );
    for (const output of outputs) checkRows(output, end - start, model);
    pieces.push(outputs);
  }
  return pieces[0]!.map((output, i) => {
    for (const piece of pieces) checkSameRows(output, piece[i]!, rows, model);
    const bytes = Buffer.concat(pieces.flatMap((outputs) => outputs[i]!.parts));
    return { ...output, shape: [rows, ...output.shape.slice(1)], parts: [bytes], byteLength: bytes.byteLength };
  });
}

/** Throws `batch_not_split` where the rows of two pieces are not of one shape: they make no tensor together. */
function checkSameRows(one: Tensor, other: Tensor, rows: number, model: string): void {
  const isSame =
    one.shape.length === other.shape.length && one.shape.every((size, i) => i === 0 || size === other.shape[i]);
  if (isSame) return;
  const got = `[${one.shape.join(',')}] of one part and [${other.shape.join(',')}] of another`;
  throw new SkeinError('batch_not_split', { model, output: one.name, got, rows });
}
