import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SkeinError } from '../../protocol/errors.ts';
import { isAbsent, type LinkRule, lookAt, refuseOutside } from './file-stamp.ts';
import { admittedBackends, type ModelBackend } from './model-backend.ts';
import type { ModelConfig } from './model-config.ts';
import { defaultModelConfig } from './parse-model-config.ts';
import { paddedVersion } from './version-policy.ts';

const anyModelFile = filesOf(admittedBackends(defaultModelConfig('')));

/** What is looked for in a version's directory, in this order: the configured file, or what the possible backends read. */
export function modelFileNames(config: ModelConfig): readonly string[] {
  if (config.defaultModelFilename !== '') return [config.defaultModelFilename];
  const admitted = admittedBackends(config);
  // Arrays of the table are handed out as they are: ten thousand models share them.
  if (admitted.length === 1) return (admitted[0] as ModelBackend).files;
  const names = filesOf(admitted);
  return names.length === anyModelFile.length ? anyModelFile : names;
}

function filesOf(backends: readonly ModelBackend[]): readonly string[] {
  return Object.freeze(backends.flatMap((backend) => backend.files));
}

export const savedModelFile = 'saved_model.pb';

/** Of a model that is a directory, the file by which it stands: an ONNX model's graph, a SavedModel's. */
export function heartOf(file: string): string {
  return file.endsWith('.savedmodel') ? savedModelFile : basename(file);
}

/** A model as a load is asked for: its directory in the repository, or the single file that is the model. */
export interface ModelPlace {
  readonly name: string;
  readonly path: string;
}

/**
 * Absolute path of a version's model file; of the directory, for a SavedModel. Throws `model_file_missing`, which says what
 * was looked for, and `link_outside`.
 */
export async function locateModelFile(
  model: ModelPlace,
  version: number,
  config: ModelConfig = defaultModelConfig(model.name),
  { followOutside = false } = {},
): Promise<string> {
  const own = await lookAt(model.path, { root: '', followOutside: true });
  if (own !== undefined && !own.isDirectory) return model.path;
  const directory = join(model.path, await versionDirectory(model.path, version));
  const names = modelFileNames(config);
  const root = await realpath(dirname(model.path)).catch(() => dirname(model.path));
  const rule = { root, followOutside };
  for (const name of names) {
    const found = await modelFileAt(join(directory, name), rule);
    if (found !== undefined) return found;
  }
  throw new SkeinError('model_file_missing', {
    model: model.name,
    version,
    tried: names.join(', '),
    path: `${model.name}/${version}`,
    found: await shownContent(directory),
  });
}

/** Its number, or, in TensorFlow Serving's layout, that with zeros before it. */
async function versionDirectory(path: string, version: number): Promise<string> {
  const plain = String(version);
  if ((await lookAt(join(path, plain), { root: '', followOutside: true })) !== undefined) return plain;
  const names = await readdir(path).catch((): string[] => []);
  return names.sort().find((name) => paddedVersion(name) === version) ?? plain;
}

async function modelFileAt(path: string, rule: LinkRule): Promise<string | undefined> {
  const look = await lookAt(path, rule);
  if (look === undefined) return undefined;
  const file = look.isDirectory && !path.endsWith('.savedmodel') ? join(path, heartOf(path)) : path;
  if (file !== path && (await lookAt(file, rule)) === undefined) return undefined;
  refuseOutside(path, await realpath(file), rule);
  return file;
}

async function shownContent(directory: string): Promise<string> {
  try {
    const names = await readdir(directory);
    const more = names.length > 8 ? `, and ${names.length - 8} more` : '';
    return names.length === 0 ? 'nothing' : names.sort().slice(0, 8).join(', ') + more;
  } catch (fault) {
    return isAbsent(fault)
      ? 'nothing: the directory does not exist'
      : `nothing that can be read (${(fault as Error).message})`;
  }
}
