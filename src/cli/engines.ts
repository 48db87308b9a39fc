import { openRuntime } from '../backends/engines/onnx/environment.ts';
import { builtInProviders, type ProviderName } from '../backends/engines/onnx/providers.ts';
import { SkeinError } from '../protocol/errors.ts';

export interface EngineProbe {
  readonly kind: 'onnx';
  readonly name: string;
  readonly found: FoundEngine | undefined;
  /** Why it was not found, and what to do; '' where it was. */
  readonly problem: string;
}

export interface FoundEngine {
  readonly version: string;
  readonly library: string;
  readonly providers: readonly ProviderProbe[];
}

export interface ProviderProbe {
  /** As the setting `provider` names it. */
  readonly name: ProviderName;
  readonly isBuiltIn: boolean;
  /** How to get it where it is not; '' where it is. */
  readonly remedy: string;
}

interface ProviderFacts {
  readonly runtimeName: string;
  readonly remedy: string;
}

const ownBuild = 'name a libonnxruntime with --onnxruntime-lib or SKEIN_ONNXRUNTIME_LIB that is';

const providerFacts = {
  cpu: { runtimeName: 'CPUExecutionProvider', remedy: 'every build has it' },
  cuda: { runtimeName: 'CUDAExecutionProvider', remedy: `${ownBuild} built with CUDA (the GPU archive of its releases)` },
  tensorrt: { runtimeName: 'TensorrtExecutionProvider', remedy: `${ownBuild} built with TensorRT (the GPU archive of its releases)` },
  webgpu: { runtimeName: 'WebGpuExecutionProvider', remedy: `${ownBuild} built with WebGPU` },
} as const satisfies Record<ProviderName, ProviderFacts>;

/** Opens every runtime as a backend would. A provider that is built in may still lack its driver: that shows at a load. */
export function probeEngines(onnxruntimeLib: string): readonly EngineProbe[] {
  return [probeOnnx(onnxruntimeLib)];
}

function probeOnnx(libraryPath: string): EngineProbe {
  const name = 'ONNX Runtime';
  try {
    const { api } = openRuntime(libraryPath === '' ? undefined : libraryPath);
    return {
      kind: 'onnx',
      name,
      found: { version: api.version, library: api.libraryPath, providers: probeProviders(builtInProviders(api)) },
      problem: '',
    };
  } catch (fault) {
    return { kind: 'onnx', name, found: undefined, problem: fault instanceof SkeinError ? fault.message : String(fault) };
  }
}

/** What of Skein's providers a build has, by the names that the runtime gives them. */
export function probeProviders(builtIn: readonly string[]): ProviderProbe[] {
  return Object.entries<ProviderFacts>(providerFacts).map(([name, { runtimeName, remedy }]) => {
    const isBuiltIn = builtIn.includes(runtimeName);
    return { name: name as ProviderName, isBuiltIn, remedy: isBuiltIn ? '' : remedy };
  });
}
