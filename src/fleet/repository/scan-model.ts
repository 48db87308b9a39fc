import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SkeinError } from '../../protocol/errors.ts';
import { type FileLook, type LookRule, lookAt, lookAtModel, type SeenFile } from './file-stamp.ts';
import { readConfigText } from './load-config.ts';
import { type EngineKind, engineOfFile } from './model-backend.ts';
import type { ModelConfig, VersionPolicy } from './model-config.ts';
import { heartOf, modelFileNames, savedModelFile } from './model-files.ts';
import { defaultModelConfig, parseModelConfig } from './parse-model-config.ts';
import type { RepositoryModel } from './repository-model.ts';
import { unreadableModel } from './unreadable-model.ts';
import { isMisnamedVersion, paddedVersion, servedVersions, versionNumber } from './version-policy.ts';

/** What a scan remembers of a model so that the next one only has to look whether anything moved. */
export interface ModelMemory {
  /** Look of the model's directory; empty: list it again whatever it looks like. */
  readonly directoryStamp: string;
  /** Every version on disk, ascending. */
  readonly onDisk: readonly number[];
  /** Look of config.pbtxt; empty: there is none. */
  readonly configStamp: string;
  readonly policy: VersionPolicy;
  /** What to look for in a version's directory. */
  readonly files: readonly string[];
  readonly configProblem?: string;
  /** The engine of each of `files`, where the configuration decides; left out: their names do. */
  readonly engine?: EngineKind;
  /** Directories of versions that are written with leading zeros, in TensorFlow Serving's layout. */
  readonly padded?: ReadonlyMap<number, string>;
  /** Directories that look like versions and are none. */
  readonly misnamed?: readonly string[];
}

export interface ScannedModel {
  readonly model: RepositoryModel;
  /** Absent where the directory could not be listed. */
  readonly memory?: ModelMemory;
  /** All that the next scan would look at. Left out: it was not asked for, or time stamps alone would not tell of a change. */
  readonly seen?: readonly SeenFile[];
}

interface ScanContext extends LookRule {
  readonly nowMs: number;
}

/** A directory that changed this recently may change again without its time stamp telling: file systems round it. */
const unsettledMs = 2_000;

const plainConfig = defaultModelConfig('');
const plainPolicy = plainConfig.versionPolicy;

type Found = readonly (readonly [version: number, stamp: string, file: string])[];

/** Which model a directory is. */
interface ModelDirectory {
  readonly name: string;
  /** Below the root of the scan. */
  readonly directory: string;
  /** Instead of that of the model's configuration. */
  readonly policy?: VersionPolicy;
  /** Take every version directory with leading zeros, and not only those that are SavedModels. */
  readonly anyPadded?: boolean;
}

/** One model of a repository; undefined where no directory of that name is there. `previous` is the last scan of it. */
export async function scanModel(
  place: ModelDirectory,
  previous: Partial<ScannedModel>,
  context: ScanContext,
): Promise<ScannedModel | undefined> {
  const { name } = place;
  const path = join(context.root, place.directory);
  let memory: ModelMemory | undefined;
  let problem: string | undefined;
  /** Undefined: it cannot be told now. */
  let found: Found | undefined;
  let hasFault = false;
  try {
    const look = await lookAt(path, context);
    if (look?.isDirectory !== true) return undefined;
    memory = await refreshed(place, path, look, previous.memory, context);
    problem = memory.configProblem;
    if (problem === undefined) found = await versionsWithModel(path, memory, context);
    if (found?.length === 0) problem = noVersions(name, memory);
  } catch (fault) {
    found = fault instanceof SkeinError ? [] : undefined;
    problem = fault instanceof SkeinError ? fault.message : `it cannot be read: ${(fault as Error).message}`;
    hasFault = true;
  }
  const engine = memory?.engine ?? engineOfFile(plainConfig, found?.at(-1)?.[2] ?? '');
  const described = describe(name, path, memory?.configStamp ?? '', found ?? [], engine, problem);
  const model = found === undefined ? unreadableModel(previous.model, described) : described;
  const isSame = previous.model?.stamp === model.stamp && previous.model.problem === model.problem;
  const isTold = context.seen !== undefined && memory !== undefined && memory.directoryStamp !== '' && !hasFault;
  return {
    model: isSame ? previous.model : compact(model),
    ...(memory !== undefined && { memory }),
    ...(isTold && { seen: context.seen }),
  };
}

/** Lists the directory and reads the configuration only where their looks have changed. */
async function refreshed(
  place: ModelDirectory,
  path: string,
  look: FileLook,
  previous: ModelMemory | undefined,
  context: ScanContext,
): Promise<ModelMemory> {
  const known = previous?.directoryStamp === look.stamp ? previous : undefined;
  const { name } = place;
  const listing = known ?? (await list(place, path, look, context));
  const config = listing.configStamp === '' ? undefined : await lookAt(join(path, 'config.pbtxt'), context);
  const configStamp = config?.stamp ?? '';
  if (known?.configStamp === configStamp) return known;
  const { directoryStamp, onDisk, misnamed, padded } = listing;
  const names = { ...(misnamed !== undefined && { misnamed }), ...(padded !== undefined && { padded }) };
  const base = { directoryStamp, onDisk, configStamp, ...names };
  const given = place.policy === undefined ? {} : { policy: place.policy };
  if (config === undefined) {
    return { ...base, policy: plainPolicy, files: modelFileNames(defaultModelConfig(name)), ...given };
  }
  if (previous?.configStamp !== configStamp)
    return { ...base, ...(await readPolicy(name, join(path, 'config.pbtxt'))), ...given };
  const { policy, files, configProblem, engine } = previous;
  return {
    ...base,
    policy,
    files,
    ...(configProblem !== undefined && { configProblem }),
    ...(engine !== undefined && { engine }),
    ...given,
  };
}

type Listing = Pick<ModelMemory, 'directoryStamp' | 'onDisk' | 'configStamp' | 'misnamed' | 'padded'>;

/** `configStamp` only says here whether there is one. */
async function list(
  { anyPadded = false }: ModelDirectory,
  path: string,
  look: FileLook,
  context: ScanContext,
): Promise<Listing> {
  const entries = await readdir(path, { withFileTypes: true });
  const onDisk: number[] = [];
  for (const entry of entries) {
    const version = versionNumber(entry.name);
    if (version === undefined) continue;
    if (entry.isSymbolicLink()) await lookAt(join(path, entry.name), context); // throws where it leads out
    onDisk.push(version);
  }
  const padded = await paddedVersions(path, entries, onDisk, context, anyPadded);
  onDisk.push(...padded.keys());
  const taken = new Set(padded.values());
  const misnamed = entries.filter(
    (entry: Dirent) => entry.isDirectory() && isMisnamedVersion(entry.name) && !taken.has(entry.name),
  );
  return {
    directoryStamp: context.nowMs - look.modifiedMs > unsettledMs ? look.stamp : '',
    onDisk: isFirstAlone(onDisk) ? firstAlone : onDisk.sort((a, b) => a - b),
    configStamp: entries.some(({ name }) => name === 'config.pbtxt') ? 'some' : '',
    ...(misnamed.length > 0 && { misnamed: misnamed.map(({ name }) => name) }),
    ...(padded.size > 0 && { padded }),
  };
}

/** Those that hold a SavedModel, or any, and whose number no other directory has. */
async function paddedVersions(
  path: string,
  entries: readonly Dirent[],
  onDisk: readonly number[],
  context: ScanContext,
  anyModel: boolean,
): Promise<Map<number, string>> {
  const padded = new Map<number, string>();
  for (const { name } of entries) {
    const version = paddedVersion(name);
    if (version === undefined || onDisk.includes(version) || padded.has(version)) continue;
    const isTaken = anyModel || (await lookAt(join(path, name, savedModelFile), context)) !== undefined;
    if (isTaken) padded.set(version, owned(name));
  }
  return padded;
}

type Policy = Pick<ModelMemory, 'policy' | 'files' | 'configProblem' | 'engine'>;

async function readPolicy(name: string, path: string): Promise<Policy> {
  try {
    const text = await readConfigText(path, name);
    const config = text === undefined ? defaultModelConfig(name) : parseModelConfig(text, name).config;
    const files = ownedNames(config);
    const kinds = new Set(files.map((file) => engineOfFile(config, file)));
    const [engine] = kinds;
    return {
      policy: sharedPolicy(config.versionPolicy),
      files,
      ...(kinds.size === 1 && engine !== undefined && { engine }),
    };
  } catch (fault) {
    if (!(fault instanceof SkeinError)) throw fault;
    return { policy: plainPolicy, files: [], configProblem: owned(fault.message) };
  }
}

/**
 * The served versions and the looks of their model files. A version without a model file is not there yet: somebody may
 * be about to copy it, and until then the policy chooses among the others.
 */
async function versionsWithModel(path: string, memory: ModelMemory, context: ScanContext): Promise<Found> {
  const found: [version: number, stamp: string, file: string][] = [];
  const { policy, onDisk } = memory;
  const wanted = policy.kind === 'latest' ? policy.count : Number.POSITIVE_INFINITY;
  const candidates = policy.kind === 'latest' ? onDisk : servedVersions(onDisk, policy);
  for (const version of candidates.toReversed()) {
    if (found.length >= wanted) break;
    for (const file of memory.files) {
      const look = await lookAtModel(
        join(path, memory.padded?.get(version) ?? String(version), file),
        heartOf(file),
        context,
      );
      if (look === undefined) continue;
      found.push([version, look.stamp, file]);
      break;
    }
  }
  return found.reverse();
}

function noVersions(name: string, { onDisk, policy, files }: ModelMemory): string {
  const rule = `at least one version must be available under the version policy of model '${name}'`;
  if (servedVersions(onDisk, policy).length === 0) return rule;
  return `${rule}: no version directory holds ${files.length === 1 ? files[0] : `one of ${files.join(', ')}`}`;
}

function describe(
  name: string,
  path: string,
  configStamp: string,
  found: Found,
  engine: EngineKind,
  problem: string | undefined,
): RepositoryModel {
  const versionStamps = found.map(([, stamp]) => (configStamp === '' ? stamp : `${configStamp}-${stamp}`));
  return {
    name,
    path,
    layout: 'directory',
    versions: found.map(([version]) => version),
    versionStamps,
    stamp: found.length === 0 ? configStamp : found.map(([version], i) => `${version}:${versionStamps[i]}`).join(' '),
    hasConfig: configStamp !== '',
    ...(engine === 'tensorflow' && { engine }),
    ...(problem !== undefined && { problem }),
  };
}

function sharedPolicy(policy: VersionPolicy): VersionPolicy {
  return policy.kind === 'latest' && policy.count === 1 ? plainPolicy : policy;
}

function ownedNames(config: ModelConfig): readonly string[] {
  return config.defaultModelFilename === '' ? modelFileNames(config) : [owned(config.defaultModelFilename)];
}

/** For keeping: strings that were put together hold on to their parts, and most models have version 1 alone. */
function compact(model: RepositoryModel): RepositoryModel {
  const versions = isFirstAlone(model.versions) ? firstAlone : model.versions;
  const versionStamps = model.versionStamps.map(owned);
  return {
    ...model,
    name: owned(model.name),
    path: owned(model.path),
    versions,
    versionStamps,
    stamp: owned(model.stamp),
  };
}

const firstAlone: readonly number[] = Object.freeze([1]);

function isFirstAlone(versions: readonly number[]): boolean {
  return versions.length === 1 && versions[0] === 1;
}

/** A string that was cut from a text keeps all of that text in memory; this one stands alone. */
function owned(text: string): string {
  return Buffer.from(text).toString();
}
