import { measureRunMemory, type RunMemory } from '../run-memory.ts';
import type { RuntimeEnvironment } from './environment.ts';
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

/** Peaks in the arena of a model that has one of its own. */
export async function measureArena(
  runtime: RuntimeEnvironment,
  session: Pointer,
  model: OnnxModel,
): Promise<RunMemory | undefined> {
  const before = arenaStatistics(runtime, session).inUse;
  return measureRunMemory(model.signatures, async ({ name, outputs }, inputs) => {
    const wanted = outputs.map((output) => output.name);
    await model.run(name, inputs, wanted, AbortSignal.timeout(maxTrialMs));
    return Math.max(0, arenaStatistics(runtime, session).maxInUse - before);
  });
}
