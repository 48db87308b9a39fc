import { SkeinError } from '../protocol/errors.ts';
import { modelNameFault } from './repository/model-name.ts';
import { type ModelSource, singleFileName, sourceFault } from './sources/model-source.ts';

/**
 * What the catalogue holds under one name: a model, or a route to models. Both share one space of names, so that an alias
 * can never hide a model. Readers ignore members that they do not know, so that neighbouring versions work together.
 */
export type CatalogueEntry = ModelRecord | RouteRecord;

export interface ModelRecord {
  readonly kind: 'model';
  readonly name: string;
  /** The model's directory, relative to the model directories of each backend. */
  readonly path: string;
  /** Where backends fetch its files from; left out: they have the directory themselves. */
  readonly source?: ModelSource;
  /** Ascending, never empty. */
  readonly versions: readonly number[];
  /** One for each version: changes when the files or the configuration change. */
  readonly stamps: readonly string[];
  /** The engine that runs it. */
  readonly engine: string;
  /** When the newest of its files changed, of the wall clock: of two looks at one model the later counts. */
  readonly changedAtMs: number;
  /** Names for versions: `stable` is 3. */
  readonly labels?: Readonly<Record<string, number>>;
  /** Labels that a backend must carry. */
  readonly requires?: Readonly<Record<string, string>>;
  /** Taints that it puts up with, beside those that it requires as labels. */
  readonly tolerates?: readonly string[];
  /** Never evicted, and always one copy at least. */
  readonly pinned?: boolean;
  /** Taken out of service by request, until it is loaded by one: no router serves it. */
  readonly unloaded?: boolean;
  /** Bounds on the number of copies; the defaults are 0 and as many as there are backends. */
  readonly minCopies?: number;
  readonly maxCopies?: number;
}

/** An alias where it has one target, a split of the traffic where it has several. */
export interface RouteRecord {
  readonly kind: 'route';
  readonly name: string;
  readonly targets: readonly RouteTarget[];
}

export interface RouteTarget {
  readonly model: string;
  /** A number or a label; left out: the newest. */
  readonly version?: number | string;
  /** Its share of the requests, of the sum of all weights. */
  readonly weight: number;
}

/** An entry with the revision of the store that wrote it: what a conditional change names. */
export interface StoredEntry {
  readonly entry: CatalogueEntry;
  readonly revision: number;
  /** Members that a newer version wrote beside those of `entry`; left out: none. */
  readonly later?: Readonly<Record<string, unknown>>;
}

/** Of most models. */
const versionOne: readonly number[] = Object.freeze([1]);

const mostTargets = 16;
const mostVersions = 1_000;

/** Labels look like names, never like numbers, so that a version in a URL is one or the other. */
const labelForm = /^[A-Za-z][\w.-]{0,62}$/;

/** Checks what came from outside; throws `entry_invalid` with what is wrong. Members that nobody knows are dropped. */
export function readEntry(value: unknown): CatalogueEntry {
  if (typeof value !== 'object' || value === null) throw invalid('?', 'it is not a JSON object');
  const entry = value as Partial<ModelRecord> & Partial<RouteRecord> & { kind?: unknown };
  const { name } = entry;
  if (typeof name !== 'string') throw invalid('?', "it has no 'name'");
  const fault = modelNameFault(name);
  if (fault !== undefined) throw invalid(name, fault);
  if (entry.kind === 'model') return readModel(name, entry);
  if (entry.kind === 'route') return readRoute(name, entry);
  throw invalid(name, "'kind' must be 'model' or 'route'");
}

function readModel(name: string, entry: Partial<ModelRecord>): ModelRecord {
  const { versions, engine = 'onnx', changedAtMs = 0 } = entry;
  if (!isVersionList(versions)) {
    throw invalid(name, `'versions' must be a list of 1 to ${mostVersions} whole numbers from 1, ascending`);
  }
  // What a source holds is known by its digest.
  const stamps = entry.stamps ?? (entry.source && versions.map(() => String(entry.source?.sha256)));
  if (!Array.isArray(stamps) || stamps.length !== versions.length || !stamps.every((one) => typeof one === 'string')) {
    throw invalid(name, "'stamps' must hold one text for each version");
  }
  const { source } = entry;
  // There may be many thousands of entries in each router: texts that are equal are one.
  return {
    kind: 'model',
    name,
    path: entry.path === undefined || entry.path === name ? name : readPath(name, entry.path),
    versions: versions.length === 1 && versions[0] === 1 ? versionOne : versions,
    stamps: stamps.map((stamp) => (stamp === source?.sha256 ? source.sha256 : stamp)),
    engine: readText(name, 'engine', engine),
    changedAtMs: Number.isFinite(changedAtMs) ? changedAtMs : 0,
    ...(source !== undefined && { source: readSource(name, source, versions) }),
    ...(entry.labels !== undefined && { labels: readLabels(name, entry.labels, versions) }),
    ...(entry.requires !== undefined && { requires: readRequires(name, entry.requires) }),
    ...(entry.tolerates !== undefined && { tolerates: readTolerates(name, entry.tolerates) }),
    ...(entry.pinned === true && { pinned: true }),
    ...(entry.unloaded === true && { unloaded: true }),
    ...readCopyBounds(name, entry),
  };
}

function readRoute(name: string, { targets }: Partial<RouteRecord>): RouteRecord {
  if (!Array.isArray(targets) || targets.length === 0 || targets.length > mostTargets) {
    throw invalid(name, `'targets' must be a list of 1 to ${mostTargets} models`);
  }
  return { kind: 'route', name, targets: targets.map((target) => readTarget(name, target)) };
}

function readTarget(name: string, target: Partial<RouteTarget> | null): RouteTarget {
  const { model, version, weight = 1 } = target ?? {};
  if (typeof model !== 'string') throw invalid(name, "every target needs a 'model'");
  if (model === name) throw invalid(name, 'it leads to itself');
  if (!(Number.isFinite(weight) && weight >= 0)) throw invalid(name, `the weight of '${model}' must be 0 or more`);
  if (version === undefined) return { model, weight };
  if (!isVersion(version) && !(typeof version === 'string' && labelForm.test(version))) {
    throw invalid(name, `the version of '${model}' must be a whole number from 1, or a label`);
  }
  return { model, version, weight };
}

function readCopyBounds(name: string, entry: Partial<ModelRecord>): Pick<ModelRecord, 'minCopies' | 'maxCopies'> {
  const { minCopies, maxCopies } = entry;
  for (const [what, count] of Object.entries({ minCopies, maxCopies })) {
    if (count !== undefined && !(Number.isInteger(count) && count >= 0 && count <= 10_000)) {
      throw invalid(name, `'${what}' must be a whole number from 0 to 10000`);
    }
  }
  if ((minCopies ?? 0) > (maxCopies ?? Infinity)) throw invalid(name, "'minCopies' is above 'maxCopies'");
  return { ...(minCopies !== undefined && { minCopies }), ...(maxCopies !== undefined && { maxCopies }) };
}

/** A path stays inside of the backends' model directories: an entry must not name any other file of theirs. */
function readPath(name: string, path: unknown): string {
  const text = readText(name, 'path', path);
  const parts = text.split('/');
  if (text.startsWith('/') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw invalid(name, `'path' must lead downward from a model directory, not '${text}'`);
  }
  return text;
}

function readSource(name: string, source: ModelSource, versions: readonly number[]): ModelSource {
  const fault = sourceFault(source);
  if (fault !== undefined) throw invalid(name, fault);
  const { url, sha256 } = source;
  if (versions.length > 1 && singleFileName(url) !== undefined) {
    throw invalid(
      name,
      "'source.url' names one model file, so there can be one version; name a list of files for several",
    );
  }
  return { url, sha256 };
}

function readText(name: string, what: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > 1_024 || value.includes('\0')) {
    throw invalid(name, `'${what}' must be a text of 1 to 1024 characters`);
  }
  return value;
}

function readLabels(name: string, labels: unknown, versions: readonly number[]): Record<string, number> {
  if (!isFields(labels)) throw invalid(name, "'labels' must be an object of versions by label");
  const read: Record<string, number> = {};
  for (const [label, version] of Object.entries(labels)) {
    if (!labelForm.test(label))
      throw invalid(name, `'${label}' cannot be a label: letters first, then letters, digits, _ . -`);
    if (!isVersion(version) || !versions.includes(version)) {
      throw invalid(name, `label '${label}' names version ${version}; it has ${versions.join(', ')}`);
    }
    read[label] = version;
  }
  return read;
}

function readRequires(name: string, requires: unknown): Record<string, string> {
  if (!isFields(requires)) throw invalid(name, "'requires' must be an object of texts by label");
  const read: Record<string, string> = {};
  for (const [label, value] of Object.entries(requires)) {
    if (typeof value !== 'string') throw invalid(name, `'requires' must give label '${label}' a text`);
    read[label] = value;
  }
  return read;
}

function readTolerates(name: string, tolerates: unknown): string[] {
  if (!Array.isArray(tolerates) || !tolerates.every((taint) => typeof taint === 'string')) {
    throw invalid(name, "'tolerates' must be a list of taints");
  }
  return tolerates;
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isVersion(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isVersionList(value: unknown): value is number[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > mostVersions) return false;
  return value.every((version, i) => isVersion(version) && (i === 0 || version > value[i - 1]));
}

function invalid(name: string, reason: string): SkeinError {
  return new SkeinError('entry_invalid', { name, reason });
}
