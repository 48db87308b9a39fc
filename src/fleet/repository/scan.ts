import type { Dirent } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { SkeinError } from '../../protocol/errors.ts';
import { mapBounded } from './map-bounded.ts';
import { modelNameFault } from './model-name.ts';
import type { RepositoryModel, RepositoryNotice, RepositorySnapshot } from './repository-model.ts';
import { type ModelMemory, scanModel } from './scan-model.ts';

/** A snapshot with what the next scan needs to be cheap. */
export interface RepositoryScan extends RepositorySnapshot {
  readonly memory: ReadonlyMap<string, ModelMemory>;
}

interface ScanOptions {
  /** Follow links that lead out of the repository. */
  readonly followOutside?: boolean;
  readonly nowMs: number;
}

/** Models looked at together. File access runs on four threads, so more would only queue. */
const concurrency = 16;

/** Entries of one repository; the rest is left out with a notice. */
const mostModels = 100_000;

/**
 * Everything in a directory of Triton's layout, `<model>/<version>/model.onnx`. With `previous` it lists and reads only what
 * has changed since and looks at time stamps otherwise. Models that did not change keep their entry, the same object.
 *
 * Never throws for one model: its `problem` says what is wrong with it. Throws `repository_unreadable` for the directory.
 */
export async function scanRepository(
  root: string,
  previous: RepositoryScan | undefined,
  { followOutside = false, nowMs }: ScanOptions,
): Promise<RepositoryScan> {
  const [real, entries] = await listRoot(root);
  const notices: RepositoryNotice[] = [];
  const names = entries.filter((entry) => mayBeModel(entry, notices)).map((entry) => entry.name);
  if (names.length > mostModels) {
    const reason = `it has ${names.length} models; the first ${mostModels} by name are taken`;
    notices.push({ name: '.', reason });
  }
  const taken = names.sort().slice(0, mostModels);
  const scanned = await mapBounded(taken, concurrency, (name) => {
    const [model, memory] = [previous?.models.get(name), previous?.memory.get(name)];
    const last = { ...(model !== undefined && { model }), ...(memory !== undefined && { memory }) };
    return scanModel({ name, directory: name }, last, { root: real, followOutside, nowMs });
  });
  const models = new Map<string, RepositoryModel>();
  const memory = new Map<string, ModelMemory>();
  for (const one of scanned) {
    if (one === undefined) continue;
    const { name } = one.model;
    models.set(name, one.model);
    if (one.memory === undefined) continue;
    memory.set(name, one.memory);
    for (const directory of one.memory.misnamed ?? []) {
      notices.push({
        name: `${name}/${directory}`,
        reason: 'a version is a whole number from 1 without leading zeros',
      });
    }
  }
  return { models, notices, memory };
}

async function listRoot(root: string): Promise<[real: string, entries: Dirent[]]> {
  try {
    return [await realpath(root), await readdir(root, { withFileTypes: true })];
  } catch (cause) {
    throw new SkeinError('repository_unreadable', { path: root, reason: (cause as Error).message }, { cause });
  }
}

/** Hidden entries and plain files (a README, a licence) are no models and need no word, a lone model file does. */
function mayBeModel(entry: Dirent, notices: RepositoryNotice[]): boolean {
  const { name } = entry;
  if (name.startsWith('.')) return false;
  if (!entry.isDirectory() && !entry.isSymbolicLink()) {
    if (/\.(onnx|ort)$/.test(name)) {
      notices.push({ name, reason: 'it is a file; a model is a directory: <model>/<version>/model.onnx' });
    }
    return false;
  }
  const reason = modelNameFault(name);
  if (reason !== undefined) notices.push({ name, reason: `it cannot be the name of a model: ${reason}` });
  return reason === undefined;
}
