import { elementBytes } from '../../../protocol/tensors/datatype.ts';
import { elementCount, type Signature, type Tensor } from '../../../protocol/tensors/tensor.ts';
import type { RuntimeEnvironment } from './environment.ts';
import type { Pointer } from './runtime-api.ts';
import type { OnnxModel } from './onnx-model.ts';
import type { CacheFacts } from './graph-cache.ts';

/** Statistics of a session's arena, in bytes; zeros where the allocator keeps none. */
export function arenaStatistics(runtime: RuntimeEnvironment, session: Pointer): { inUse: number; maxInUse: number; total: number } {
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

/** Trial runs larger than this are not made: measuring must not cost more than the model. */
const maxTrialBytes = 16 * 1024 * 1024;

/**
 * Runs a model that has an arena of its own on zeros, at one row and at two, and fits a line through the peaks. Returns
 * undefined where shapes beside the batch are free (what clients will send is not known) or the model refuses zeros.
 */
export async function measureRunMemory(
  runtime: RuntimeEnvironment,
  session: Pointer,
  model: OnnxModel,
): Promise<CacheFacts['run']> {
  if (!isMeasurable(model.signature)) return undefined;
  const outputs = model.signature.outputs.map((output) => output.name);
  const peaks: number[] = [];
  const before = arenaStatistics(runtime, session).inUse;
  try {
    for (const rows of [1, 2]) {
      await model.run(zeros(model.signature, rows), outputs);
      peaks.push(Math.max(0, arenaStatistics(runtime, session).maxInUse - before));
    }
  } catch {
    return undefined; // zeros are not a legal input of this model: nothing is known, nothing is wrong
  }
  const [one, two] = peaks as [number, number];
  const rowBytes = Math.max(0, two - one);
  return { fixedBytes: Math.max(0, one - rowBytes), rowBytes };
}

function isMeasurable({ inputs }: Signature): boolean {
  let bytes = 0;
  for (const { datatype, shape } of inputs) {
    if (datatype === 'BYTES' || shape.length === 0 || shape[0] !== -1 || shape.slice(1).some((d) => d < 0)) return false;
    bytes += elementCount(shape.slice(1)) * elementBytes[datatype];
  }
  return bytes > 0 && bytes <= maxTrialBytes;
}

function zeros({ inputs }: Signature, rows: number): Tensor[] {
  return inputs.map(({ name, datatype, shape }) => {
    const full = [rows, ...shape.slice(1)];
    const byteLength = elementCount(full) * elementBytes[datatype];
    return { name, datatype, shape: full, parts: [new Uint8Array(byteLength)], byteLength };
  });
}
