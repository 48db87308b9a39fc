import type { ConfigWarning } from './model-config.ts';
import { readOnnxParameters } from './onnx-parameters.ts';
import { readTensorflowParameters } from './tensorflow-parameters.ts';

/** What a configuration's free-form `parameters` say to the engine that runs the model. */
interface EngineParameters {
  /** Threads of one run; absent: the backend chooses. */
  readonly threads?: number;
  /** The signature of requests that name none; absent: the model's own default. */
  readonly signature?: string;
  /** What the engine itself is told. */
  readonly forEngine: Readonly<Record<string, string>>;
  readonly warnings: readonly ConfigWarning[];
}

/** Throws for a value that cannot be what its key means. */
export function readEngineParameters(
  engine: string,
  parameters: Readonly<Record<string, string>>,
  model: string,
): EngineParameters {
  if (engine === 'tensorflow') return readTensorflowParameters(parameters);
  return { ...readOnnxParameters(parameters, model), forEngine: {} };
}
