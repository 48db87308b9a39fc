import { isAbsolute, normalize } from 'node:path';
import { SkeinError } from '../../protocol/errors.ts';
import type { ListedModel } from '../../protocol/tfserving/listed-model.ts';
import type { VersionPolicy } from './model-config.ts';
import { modelNameFault } from './model-name.ts';

/** One model of a TensorFlow Serving model_config_list, checked. */
export interface ModelListEntry {
  readonly name: string;
  /** Holds one directory for each version. */
  readonly path: string;
  /** Undefined: what the model's own configuration says, else the newest alone. */
  readonly policy: VersionPolicy | undefined;
  readonly labels: ReadonlyMap<string, number>;
}

/** Platforms by which a list may call what is served here; the files decide which of them a model is. */
const platforms: ReadonlySet<string> = new Set([
  '',
  'tensorflow',
  'tensorflow_savedmodel',
  'onnx',
  'onnxruntime',
  'onnxruntime_onnx',
]);

/** Throws model_list, in TensorFlow Serving's words where it has some. */
export function checkModelList(models: readonly ListedModel[]): ModelListEntry[] {
  const names = new Set<string>();
  return models.map((model) => {
    const { name, basePath, platform, versionPolicy: policy, labels } = model;
    const refuse = (reason: string) => new SkeinError('model_list', { reason });
    const fault = modelNameFault(name);
    if (fault !== undefined) throw refuse(`'${name.slice(0, 64)}' cannot be the name of a model: ${fault}`);
    if (names.has(name)) throw refuse(`Illegal to list model ${name} multiple times in config list`);
    names.add(name);
    if (!isAbsolute(basePath)) {
      const expected = 'to have an absolute path on this machine';
      throw refuse(`Expected model ${name} ${expected}; got base_path()=${basePath.slice(0, 256)}`);
    }
    if (!platforms.has(platform)) throw refuse(`Model ${name} requests unsupported platform ${platform.slice(0, 64)}`);
    return { name, path: normalize(basePath).replace(/(?<=.)\/$/, ''), policy, labels };
  });
}
