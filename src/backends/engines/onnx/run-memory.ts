import { defaultSignature } from '../../../protocol/tensors/named-signature.ts';
import { zeroInputs } from '../zero-inputs.ts';
import type { RuntimeEnvironment } from './environment.ts';
import type { CacheFacts } from './graph-cache.ts';
import type { OnnxModel } from './onnx-model.ts';
import type { Pointer } from './runtime-api.ts';

/** Statistics of a session's arena, in bytes; zeros where the allocator keeps none. */
export function arenaStatistics(
  runtime: RuntimeEnvironment,
  session: Pointer,
): { inUse: number; maxInUse: number; total: number } {
  const { api } = runtime;
  const allocator = api.create('CreateAllocator', session, runtime.cpuMemory);
  try {
    const pairs = api.create('AllocatorGetStats', allocator);
    const values = api.keyValues(pairs);
    api.release('ReleaseKeyValuePairs', pairs);
    const number = (key: string) => Number(values.get(key) ?? 0);
    return { inUse: number('InUse'), maxInUse: number('MaxInUse'), total: number('TotalAllocated') };
  } finally {
    api.release('ReleaseAllocator', allocator);
  }
}

/** Longer trial runs are not made: measuring must not cost more than the model. */
const maxTrialMs = 2_000;

/**
 * Runs a model that has an arena of its own on zeros, at one row and at two, and fits a line through the peaks. Returns
 * undefined where shapes beside the batch are free (what clients will send is not known) or the model refuses zeros.
 */
export async function measureRunMemory(
  runtime: RuntimeEnvironment,
  session: Pointer,
  model: OnnxModel,
): Promise<CacheFacts['run']> {
  const signature = defaultSignature(model.signatures);
  if (zeroInputs(signature, 2) === undefined) return undefined;
  const outputs = signature.outputs.map((output) => output.name);
  const before = arenaStatistics(runtime, session).inUse;
  const peakOf = async (rows: number) => {
    await model.run(signature.name, zeroInputs(signature, rows)!, outputs, AbortSignal.timeout(maxTrialMs));
    return Math.max(0, arenaStatistics(runtime, session).maxInUse - before);
  };
  try {
    const one = await peakOf(1);
    const isOfAnyRows = signature.inputs.some(({ shape }) => shape[0] === -1);
    const rowBytes = isOfAnyRows ? Math.max(0, (await peakOf(2)) - one) : 0;
    return { fixedBytes: Math.max(0, one - rowBytes), rowBytes };
  } catch {
    return undefined; // zeros are not a legal input of this model, or it is slow: nothing is known, nothing is wrong
  }
}
