import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openRuntime } from '../backends/engines/onnx/environment.ts';
import { builtInProviders, type ProviderName } from '../backends/engines/onnx/providers.ts';
import { TensorflowApi } from '../backends/engines/tensorflow/tensorflow-api.ts';
import { findTensorflow } from '../backends/engines/tensorflow/tensorflow-library.ts';
import type { EngineKind } from '../fleet/repository/model-backend.ts';
import { SkeinError } from '../protocol/errors.ts';
import { prepareNativeCalls } from '../protocol/native/native-calls.ts';

export interface EngineProbe {
  readonly kind: EngineKind;
  readonly name: string;
  readonly found: FoundEngine | undefined;
  /** Why it was not found, and what to do; '' where it was. */
  readonly problem: string;
}

interface FoundEngine {
  readonly version: string;
  readonly library: string;
  /** Where the library comes from; '' where there is one place. */
  readonly origin: string;
  readonly providers: readonly ProviderProbe[];
}

interface ProviderProbe {
  /** As the setting `provider` names it. */
  readonly name: ProviderName;
  readonly isInstalled: boolean;
  /** What it needs beside the library, or what is missing and how to get it. */
  readonly note: string;
}

interface ProviderFacts {
  /** What the runtime calls it. */
  readonly runtimeName: string;
  /** A library of its own beside the runtime's; '' where it is inside. */
  readonly library: string;
  /** What else has to be on the machine; whether it is shows at the first load. */
  readonly needs: string;
}

const providerFacts = {
  cpu: { runtimeName: 'CPUExecutionProvider', library: '', needs: '' },
  cuda: { runtimeName: 'CUDAExecutionProvider', library: 'libonnxruntime_providers_cuda.so', needs: 'CUDA and cuDNN' },
  tensorrt: {
    runtimeName: 'TensorrtExecutionProvider',
    library: 'libonnxruntime_providers_tensorrt.so',
    needs: 'CUDA, cuDNN and TensorRT',
  },
  webgpu: { runtimeName: 'WebGpuExecutionProvider', library: '', needs: 'a Vulkan, Metal or Direct3D 12 driver' },
} as const satisfies Record<ProviderName, ProviderFacts>;

/** Opens every runtime as a backend would. */
export function probeEngines(libraries: {
  readonly onnxruntimeLib: string;
  readonly tensorflowLib: string;
}): readonly EngineProbe[] {
  return [probeOnnx(libraries.onnxruntimeLib), probeTensorflow(libraries.tensorflowLib)];
}

function probeTensorflow(configured: string): EngineProbe {
  const engine = { kind: 'tensorflow', name: 'TensorFlow' } as const;
  try {
    prepareNativeCalls();
    const { version, library } = new TensorflowApi(findTensorflow(configured));
    return { ...engine, found: { version, library: library.main, origin: library.origin, providers: [] }, problem: '' };
  } catch (fault) {
    return { ...engine, found: undefined, problem: SkeinError.from(fault).message };
  }
}

function probeOnnx(libraryPath: string): EngineProbe {
  const engine = { kind: 'onnx', name: 'ONNX Runtime' } as const;
  try {
    const { api } = openRuntime(libraryPath === '' ? undefined : libraryPath);
    const library = api.libraryPath;
    const isBeside = (file: string) => existsSync(join(dirname(library), file));
    const providers = probeProviders(builtInProviders(api), isBeside);
    return { ...engine, found: { version: api.version, library, origin: '', providers }, problem: '' };
  } catch (fault) {
    return { ...engine, found: undefined, problem: SkeinError.from(fault).message };
  }
}

/**
 * What of Skein's providers an installation has. `builtIn`: those that the library was built to use, by the runtime's
 * names. `isBeside`: whether a file lies in the library's directory.
 */
export function probeProviders(builtIn: readonly string[], isBeside: (file: string) => boolean): ProviderProbe[] {
  return Object.entries<ProviderFacts>(providerFacts).map(([key, { runtimeName, library, needs }]) => {
    const name = key as ProviderName;
    const otherBuild = `name a build of ONNX Runtime that has it with --onnxruntime-lib or SKEIN_ONNXRUNTIME_LIB`;
    if (!builtIn.includes(runtimeName)) return { name, isInstalled: false, note: `not in this build; ${otherBuild}` };
    if (library === '' || isBeside(library))
      return { name, isInstalled: true, note: needs === '' ? '' : `needs ${needs}` };
    return { name, isInstalled: false, note: `${library} is not beside the library; ${otherBuild}` };
  });
}
