import { defaultSignature, type NamedSignature, type Signatures } from '../../protocol/tensors/named-signature.ts';
import type { Tensor } from '../../protocol/tensors/tensor.ts';
import { zeroInputs } from './zero-inputs.ts';

/** What a run takes while it lasts: a line through what was measured. */
export interface RunMemory {
  readonly fixedBytes: number;
  readonly rowBytes: number;
}

/**
 * Runs the default signature on zeros, at one row and at two; `peakOf` runs it and answers the most that was held. Returns
 * undefined where shapes beside the batch are free (what clients will send is not known) or the model refuses zeros.
 */
export async function measureRunMemory(
  signatures: Signatures,
  peakOf: (signature: NamedSignature, inputs: readonly Tensor[]) => Promise<number>,
): Promise<RunMemory | undefined> {
  const signature = defaultSignature(signatures);
  const [row, rows] = [zeroInputs(signature, 1), zeroInputs(signature, 2)];
  if (row === undefined || rows === undefined) return undefined;
  try {
    const one = await peakOf(signature, row);
    const isOfAnyRows = signature.inputs.some(({ shape }) => shape[0] === -1);
    const rowBytes = isOfAnyRows ? Math.max(0, (await peakOf(signature, rows)) - one) : 0;
    return { fixedBytes: Math.max(0, one - rowBytes), rowBytes };
  } catch {
    return undefined; // zeros are not a legal input of this model, or it is slow: nothing is known, nothing is wrong
  }
}
