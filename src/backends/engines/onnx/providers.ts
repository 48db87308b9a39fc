import { SkeinError } from '../../../protocol/errors.ts';
import { type Pointer, type RuntimeApi, readStrings, stringArray } from './runtime-api.ts';

/** Execution providers that can be asked for, as settings name them. */
const providerNames = ['cpu', 'cuda', 'tensorrt', 'webgpu'] as const;
export type ProviderName = (typeof providerNames)[number];

export interface ProviderChoice {
  readonly name: ProviderName;
  readonly deviceId: number;
  /** Bound on device memory; 0 is the runtime's own default. */
  readonly memoryLimitBytes: number;
}

export const cpuProvider: ProviderChoice = { name: 'cpu', deviceId: 0, memoryLimitBytes: 0 };

/** Providers that this build of the runtime was made with; whether their drivers are there shows only when one is used. */
export function builtInProviders(api: RuntimeApi): string[] {
  const names = Buffer.alloc(8);
  const count = Buffer.alloc(8);
  api.call('GetAvailableProviders', names, count);
  return readStrings(names.readBigUInt64LE(), count.readInt32LE());
}

/** Adds the provider to session options; CPU kernels always remain behind it. Throws the runtime's own text. */
export function appendProvider(api: RuntimeApi, options: Pointer, choice: ProviderChoice): void {
  switch (choice.name) {
    case 'cpu':
      return;
    case 'cuda':
      appendWithOptions(api, options, cudaFunctions, deviceOptions(choice, 'gpu_mem_limit'));
      return;
    case 'tensorrt':
      appendWithOptions(api, options, tensorRtFunctions, deviceOptions(choice, 'trt_max_workspace_size'));
      return;
    case 'webgpu':
      api.call('SessionOptionsAppendExecutionProvider', options, 'WebGPU', null, null, 0);
      return;
    default:
      choice.name satisfies never;
  }
}

const cudaFunctions = {
  create: 'CreateCUDAProviderOptions',
  update: 'UpdateCUDAProviderOptions',
  append: 'SessionOptionsAppendExecutionProvider_CUDA_V2',
  release: 'ReleaseCUDAProviderOptions',
} as const;

const tensorRtFunctions = {
  create: 'CreateTensorRTProviderOptions',
  update: 'UpdateTensorRTProviderOptions',
  append: 'SessionOptionsAppendExecutionProvider_TensorRT_V2',
  release: 'ReleaseTensorRTProviderOptions',
} as const;

function deviceOptions(choice: ProviderChoice, limitKey: string): Record<string, string> {
  const entries: Record<string, string> = { device_id: String(choice.deviceId) };
  if (choice.memoryLimitBytes > 0) entries[limitKey] = String(choice.memoryLimitBytes);
  return entries;
}

function appendWithOptions(
  api: RuntimeApi,
  options: Pointer,
  functions: typeof cudaFunctions | typeof tensorRtFunctions,
  entries: Record<string, string>,
): void {
  const provider = api.create(functions.create);
  try {
    const keys = stringArray(Object.keys(entries));
    const values = stringArray(Object.values(entries));
    api.call(functions.update, provider, keys.pointer, values.pointer, Object.keys(entries).length);
    api.call(functions.append, options, provider);
  } finally {
    api.release(functions.release, provider);
  }
}

/** What to do where the asked provider cannot be used. */
export type ProviderFallback = 'refuse' | 'cpu';

export function providerUnavailable(choice: ProviderChoice, fault: unknown): SkeinError {
  return new SkeinError(
    'provider_unavailable',
    { provider: choice.name, reason: withoutPaths((fault as Error).message) },
    { cause: fault },
  );
}

/** Clients are told what is missing, not where this host keeps its files. */
function withoutPaths(text: string): string {
  return text.replace(/(?:\/[^\s/:'"]+)+\/([^\s/:'"]+)/g, '$1');
}
