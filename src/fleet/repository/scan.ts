import type { Dirent } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { SkeinError } from '../../protocol/errors.ts';
import { lookAt, type SeenFile } from './file-stamp.ts';
import { mapBounded } from './map-bounded.ts';
import { modelNameFault } from './model-name.ts';
import type { RepositoryModel, RepositoryNotice, RepositorySnapshot } from './repository-model.ts';
import { type ModelMemory, type ScannedModel, scanModel } from './scan-model.ts';

/** A snapshot with what the next scan needs to be cheap. */
export interface RepositoryScan extends RepositorySnapshot {
  readonly memory: ReadonlyMap<string, ModelMemory>;
  /** Look of the directory itself, which changes when a model comes or goes; empty: list it again whatever it looks like. */
  readonly rootStamp?: string;
}

/** What to look at of what was found before. */
export interface ScanPart {
  /** These models, whether they were known or not. */
  readonly names: readonly string[];
  /** And what has come or gone since. */
  readonly news: boolean;
  /**
   * Takes what was seen of each model that was looked at, with paths below the repository; of some nothing, where time stamps
   * alone would not tell of a change.
   */
  readonly seen?: Map<string, readonly SeenFile[]>;
}

interface ScanOptions {
  /** Follow links that lead out of the repository. */
  readonly followOutside?: boolean;
  readonly nowMs: number;
}

/** Models looked at together. File access runs on four threads, so more would only queue. */
const concurrency = 16;

/** A directory that changed this recently may change again without its time stamp telling: file systems round it. */
const unsettledMs = 2_000;

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
  const real = await realRoot(root);
  const { names, notices, rootStamp } = await listRoot(root, nowMs);
  const scanned = await scanModels(names, previous, { root: real, followOutside, nowMs });
  const models = new Map<string, RepositoryModel>();
  const memory = new Map<string, ModelMemory>();
  scanned.forEach((one, i) => {
    const name = names[i]!;
    if (one === undefined) return;
    models.set(name, one.model);
    if (one.memory !== undefined) memory.set(name, one.memory);
    notices.push(...misnamedVersions(name, one.memory));
  });
  return { models, notices, memory, rootStamp };
}

/**
 * The same of a part; all else is as it was found before. `previous` itself where nothing has changed: ten thousand models
 * that stay as they are cost no memory. `news` costs one look at the directory until something comes or goes.
 */
export async function scanPart(
  root: string,
  previous: RepositoryScan,
  part: ScanPart,
  { followOutside = false, nowMs }: ScanOptions,
): Promise<RepositoryScan> {
  const real = await realRoot(root);
  const listing = part.news ? await listIfChanged(root, previous, nowMs) : undefined;
  const names = [...new Set([...part.names.filter(isPossibleName), ...cameOrWent(previous, listing?.names)])];
  const notesSeen = part.seen !== undefined;
  const scanned = await scanModels(names, previous, { root: real, followOutside, nowMs }, notesSeen);
  const rootLength = join(real, '/').length;
  const below = (seen: SeenFile): SeenFile => ({ ...seen, path: seen.path.slice(rootLength) });
  scanned.forEach((one, i) => {
    part.seen?.set(names[i]!, one?.seen?.map(below) ?? []);
  });
  const isSame = (one: ScannedModel | undefined, name: string) =>
    one?.model === previous.models.get(name) && one?.memory === previous.memory.get(name);
  if (listing === undefined && scanned.every((one, i) => isSame(one, names[i]!))) return previous;
  const models = new Map(previous.models);
  const memory = new Map(previous.memory);
  const looked = new Set(names);
  const isOfOthers = ({ name }: RepositoryNotice) =>
    name.includes('/') && !looked.has(name.slice(0, name.indexOf('/')));
  const ofRoot = listing?.notices ?? previous.notices.filter(({ name }) => !name.includes('/'));
  const notices = [...ofRoot, ...previous.notices.filter(isOfOthers)];
  scanned.forEach((one, i) => {
    const name = names[i]!;
    put(models, name, one?.model);
    put(memory, name, one?.memory);
    notices.push(...misnamedVersions(name, one?.memory));
  });
  return { models, notices, memory, rootStamp: listing?.rootStamp ?? previous.rootStamp ?? '' };
}

/** What a caller names may be anything; what cannot be a model's directory is not looked for. */
function isPossibleName(name: string): boolean {
  return !name.startsWith('.') && modelNameFault(name) === undefined;
}

function cameOrWent(previous: RepositoryScan, names: readonly string[] | undefined): string[] {
  if (names === undefined) return [];
  const there = new Set(names);
  const gone = [...previous.models.keys()].filter((name) => !there.has(name));
  return [...names.filter((name) => !previous.models.has(name)), ...gone];
}

function put<V>(map: Map<string, V>, name: string, value: V | undefined): void {
  if (value === undefined) map.delete(name);
  else map.set(name, value);
}

type Context = Parameters<typeof scanModel>[2];

function scanModels(
  names: readonly string[],
  previous: RepositoryScan | undefined,
  context: Context,
  notesSeen = false,
) {
  return mapBounded(names, concurrency, (name) => {
    const [model, memory] = [previous?.models.get(name), previous?.memory.get(name)];
    const last = { ...(model !== undefined && { model }), ...(memory !== undefined && { memory }) };
    return scanModel({ name, directory: name }, last, notesSeen ? { ...context, seen: [] } : context);
  });
}

function misnamedVersions(name: string, memory: ModelMemory | undefined): RepositoryNotice[] {
  const reason = 'a version is a whole number from 1 without leading zeros';
  return (memory?.misnamed ?? []).map((directory) => ({ name: `${name}/${directory}`, reason }));
}

interface Listing {
  /** Of directories that may be models, sorted. */
  readonly names: readonly string[];
  readonly notices: RepositoryNotice[];
  readonly rootStamp: string;
}

async function listIfChanged(root: string, { rootStamp }: RepositoryScan, nowMs: number): Promise<Listing | undefined> {
  const look = await lookAt(root, { root, followOutside: true });
  return look !== undefined && look.stamp === rootStamp ? undefined : listRoot(root, nowMs);
}

async function realRoot(root: string): Promise<string> {
  try {
    return await realpath(root);
  } catch (cause) {
    throw new SkeinError('repository_unreadable', { path: root, reason: (cause as Error).message }, { cause });
  }
}

async function listRoot(root: string, nowMs: number): Promise<Listing> {
  try {
    // Looked at first: what comes while it is listed is listed again.
    const look = await lookAt(root, { root, followOutside: true });
    const notices: RepositoryNotice[] = [];
    const entries = await readdir(root, { withFileTypes: true });
    const names = entries.filter((entry) => mayBeModel(entry, notices)).map((entry) => entry.name);
    if (names.length > mostModels) {
      const reason = `it has ${names.length} models; the first ${mostModels} by name are taken`;
      notices.push({ name: '.', reason });
    }
    const isSettled = look !== undefined && nowMs - look.modifiedMs > unsettledMs;
    return { names: names.sort().slice(0, mostModels), notices, rootStamp: isSettled ? look.stamp : '' };
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
