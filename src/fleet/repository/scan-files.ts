import { basename, dirname, resolve } from 'node:path';
import { SkeinError } from '../../protocol/errors.ts';
import { lookAtModel } from './file-stamp.ts';
import { heartOf } from './model-files.ts';
import { checkModelName } from './model-name.ts';
import type { RepositoryModel } from './repository-model.ts';
import type { RepositoryScan } from './scan.ts';
import { unreadableModel } from './unreadable-model.ts';

const extensions = /\.(onnx|ort|savedmodel|graphdef)$/;

/**
 * Model files that were named one by one, each as version 1 of a model called like the file without its ending. Throws where
 * two would have one name; a file that is missing is a model with a problem, so that it may come later.
 */
export async function scanFiles(
  paths: readonly string[],
  previous: RepositoryScan | undefined,
): Promise<RepositoryScan> {
  const models = new Map<string, RepositoryModel>();
  for (const given of paths) {
    const path = resolve(given);
    const name = nameOf(path);
    const other = models.get(name);
    if (other !== undefined) {
      const reason = `'${other.path}' and '${path}' would both be called so; name one of them otherwise`;
      throw new SkeinError('model_name_invalid', { name, reason });
    }
    const before = previous?.models.get(name);
    const model = await describeFile(name, path, before);
    models.set(name, before?.stamp === model.stamp && before.problem === model.problem ? before : model);
  }
  return { models, notices: [], memory: new Map() };
}

/** `resnet50.onnx` is resnet50; a file of Triton's layout, `resnet50/1/model.onnx`, is called as it would be there. */
function nameOf(path: string): string {
  const file = basename(path);
  if (!extensions.test(file)) {
    const reason =
      'a model file ends in .onnx, .ort, .savedmodel or .graphdef; give a directory for a model repository';
    throw new SkeinError('model_name_invalid', { name: file, reason });
  }
  const stem = file.replace(extensions, '');
  const version = dirname(path);
  const name = stem === 'model' && /^\d+$/.test(basename(version)) ? basename(dirname(version)) : stem;
  checkModelName(name);
  return name;
}

async function describeFile(name: string, path: string, before: RepositoryModel | undefined): Promise<RepositoryModel> {
  const isTensorflow = /\.(savedmodel|graphdef)$/.test(path);
  const entry = {
    name,
    path,
    layout: 'file',
    hasConfig: false,
    ...(isTensorflow && { engine: 'tensorflow' as const }),
  } as const;
  try {
    const look = await lookAtModel(path, heartOf(path), { root: '', followOutside: true });
    if (look === undefined)
      return { ...entry, versions: [], versionStamps: [], stamp: '', problem: `there is no file '${path}'` };
    return { ...entry, versions: [1], versionStamps: [look.stamp], stamp: `1:${look.stamp}` };
  } catch (fault) {
    const problem = `it cannot be read: ${(fault as Error).message}`;
    return unreadableModel(before, { ...entry, versions: [], versionStamps: [], stamp: '', problem });
  }
}
