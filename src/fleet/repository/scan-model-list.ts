import { basename, dirname } from 'node:path';
import { mapBounded } from './map-bounded.ts';
import type { ModelListEntry } from './model-list.ts';
import type { RepositoryModel } from './repository-model.ts';
import type { RepositoryScan } from './scan.ts';
import { scanModel } from './scan-model.ts';

/** As in a scan of a repository: file access runs on four threads. */
const concurrency = 16;

/**
 * The models of a list, each wherever its base path is. Version directories may have leading zeros, as TensorFlow Serving
 * takes them. A path that is not there yet is a model without versions, so that it may come later.
 */
export async function scanModelList(
  entries: readonly ModelListEntry[],
  previous: RepositoryScan | undefined,
  nowMs: number,
): Promise<RepositoryScan> {
  const models = new Map<string, RepositoryModel>();
  const scanned = await mapBounded(entries, concurrency, (entry) => scanEntry(entry, nowMs));
  scanned.forEach((one, i) => {
    const entry = entries[i]!;
    const before = previous?.models.get(entry.name);
    const model = withLabels(one?.model ?? missing(entry), entry);
    models.set(entry.name, before?.stamp === model.stamp && before.problem === model.problem ? before : model);
  });
  return { models, notices: [], memory: new Map() };
}

function scanEntry({ name, path, policy }: ModelListEntry, nowMs: number) {
  const place = { name, directory: basename(path), ...(policy !== undefined && { policy }), anyPadded: true };
  // A list is short, and its policies change without the files: nothing is remembered.
  return scanModel(place, {}, { root: dirname(path), followOutside: true, nowMs });
}

function missing({ name, path }: ModelListEntry): RepositoryModel {
  const problem = `there is no directory '${path}'`;
  return { name, path, layout: 'directory', versions: [], versionStamps: [], stamp: '', hasConfig: false, problem };
}

/** A label that moves is a change of the model. */
function withLabels(model: RepositoryModel, { labels }: ModelListEntry): RepositoryModel {
  if (labels.size === 0) return model;
  const written = [...labels].map(([label, version]) => `${label}=${version}`).join(',');
  return { ...model, labels, stamp: `${model.stamp} ${written}` };
}
