import { prepareNativeCalls } from '../../../protocol/native/native-calls.ts';
import { type Pointer, RuntimeApi, stringArray } from './runtime-api.ts';
import { findRuntimeLibrary } from './runtime-library.ts';
import { StagingBuffers } from './staging-buffers.ts';

/** What one process needs once: the library, its environment, and the memory its tensors live in. */
export interface RuntimeEnvironment {
  readonly api: RuntimeApi;
  readonly environment: Pointer;
  readonly cpuMemory: Pointer;
  readonly allocator: Pointer;
  readonly staging: StagingBuffers;
}

const logWarnings = 2;
/** What fails is told by status, to whoever asked; the runtime would print it, too, for every bad request. */
const logFatal = 4;

/** Kept of input buffers between runs. */
const stagingBytes = 32 * 1024 * 1024;

/** Opens ONNX Runtime. Call it once in a process, before any other use of koffi. */
export function openRuntime(libraryPath: string | undefined, verbose = false): RuntimeEnvironment {
  prepareNativeCalls();
  const api = new RuntimeApi(findRuntimeLibrary(libraryPath));
  const environment = api.create('CreateEnv', verbose ? logWarnings : logFatal, 'skein');
  const arenaAllocator = 1;
  const defaultMemory = 0;
  const cpuMemory = api.create('CreateCpuMemoryInfo', arenaAllocator, defaultMemory);
  shareOneArena(api, environment, cpuMemory);
  const allocator = api.create('GetAllocatorWithDefaultOptions');
  return { api, environment, cpuMemory, allocator, staging: new StagingBuffers(stagingBytes) };
}

/**
 * All sessions of the process take the memory of their runs from one arena. With an arena of its own each copy would keep
 * the memory of its largest run for as long as it is loaded (MobileNetV2 at batch 4: 52 MB beside 19 MB of model); with
 * none every run would fault its pages in again (31 ms became 55).
 */
function shareOneArena(api: RuntimeApi, environment: Pointer, cpuMemory: Pointer): void {
  const keys = stringArray(['arena_extend_strategy']);
  const nextPowerOfTwo = 0n;
  const values = new BigUint64Array(new ArrayBuffer(128));
  values[0] = nextPowerOfTwo;
  const configuration = api.create('CreateArenaCfgV2', keys.pointer, values, 1);
  api.call('CreateAndRegisterAllocator', environment, cpuMemory, configuration);
}
