import { SkeinError } from '../../protocol/errors.ts';
import type { ModelConfig } from './model-config.ts';

/** Skein's engines: each runs in backend processes of its own. */
export type EngineKind = 'onnx' | 'tensorflow';

/** A kind of model as Triton names it, and which of Skein's engines runs it, if any. */
export interface ModelBackend {
  readonly backend: string;
  /** Empty: Triton has no platform name for it. */
  readonly platform: string;
  /** What it looks for in a version's directory, most usual first. */
  readonly files: readonly string[];
  readonly engine?: EngineKind;
}

const backends: readonly ModelBackend[] = [
  { backend: 'onnxruntime', platform: 'onnxruntime_onnx', files: ['model.onnx', 'model.ort'], engine: 'onnx' },
  {
    backend: 'tensorflow',
    platform: 'tensorflow_savedmodel',
    // In TensorFlow Serving's layout the version's directory is the SavedModel.
    files: ['model.savedmodel', 'saved_model.pb'],
    engine: 'tensorflow',
  },
  { backend: 'tensorflow', platform: 'tensorflow_graphdef', files: ['model.graphdef'], engine: 'tensorflow' },
  { backend: 'tensorrt', platform: 'tensorrt_plan', files: ['model.plan'] },
  { backend: 'openvino', platform: '', files: ['model.xml'] },
  { backend: 'pytorch', platform: 'pytorch_libtorch', files: ['model.pt'] },
  { backend: 'pytorch', platform: 'torch_aoti', files: ['model.pt2'] },
  { backend: 'python', platform: '', files: ['model.py'] },
];

/**
 * Which kinds of model a configuration admits, by its platform, backend and file name; all of them where it says nothing,
 * so that the files decide. A backend that is not in the table is one of the user's own, with a file `model.<backend>`.
 */
export function admittedBackends({ platform, backend, defaultModelFilename }: ModelConfig): readonly ModelBackend[] {
  const named = backends.filter(
    (row) => (platform === '' || row.platform === platform) && (backend === '' || row.backend === backend),
  );
  if (platform === '' && backend !== '' && named.length === 0)
    return [{ backend, platform, files: [`model.${backend}`] }];
  const byFile = named.filter((row) => row.files.includes(defaultModelFilename));
  return byFile.length > 0 ? byFile : named;
}

/** The kind of a model whose file is known; throws for a pair that contradicts itself and for what no engine runs. */
export function modelBackend(config: ModelConfig, file: string): ModelBackend {
  const admitted = admittedBackends(config);
  const { name: model, platform, backend } = config;
  if (admitted.length === 0) {
    const reason = `unexpected 'platform' and 'backend' pair, got:${platform}, ${backend} for ${model}`;
    throw new SkeinError('config_mismatch', { reason });
  }
  const extension = file.slice(file.lastIndexOf('.'));
  return (
    admitted.find((row) => row.files.includes(file)) ??
    admitted.find((row) => row.files.some((name) => name.endsWith(extension))) ??
    (admitted[0] as ModelBackend)
  );
}

/**
 * Which of `engines`, those that this backend process has, runs a model whose file is known. A backend of the user's own is
 * the engine of that name. Throws where none does, with what to do instead.
 */
export function engineOf(config: ModelConfig, file: string, engines: readonly string[]): string {
  const row = modelBackend(config, file);
  const engine = row.engine ?? row.backend;
  if (engines.includes(engine)) return engine;
  const what = `model '${config.name}' is for the backend '${row.backend}' (${row.platform || file})`;
  const remedy = 'declare a Triton server that holds it as a backend';
  throw new SkeinError('config_mismatch', {
    reason: `${what}, which is not run here: the engines here are ${engines.join(', ')}; ${remedy}`,
  });
}

/** The engine of a model whose file is known, as far as its configuration and the file's name tell: `onnx` where they do not. */
export function engineOfFile(config: ModelConfig, file: string): EngineKind {
  const admitted = admittedBackends(config);
  const extension = file.slice(file.lastIndexOf('.'));
  const row =
    admitted.find(({ files }) => files.includes(file)) ??
    admitted.find(({ files }) => files.some((name) => name.endsWith(extension))) ??
    admitted[0];
  return row?.engine ?? 'onnx';
}
