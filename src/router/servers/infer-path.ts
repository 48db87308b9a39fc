import type { BodyDialect } from '../../protocol/link/infer-head.ts';
import { readModelName } from './model-name.ts';
import { isVersionText } from './model-version.ts';

/** What a path asks to be run. */
export interface InferPath {
  readonly dialect: BodyDialect;
  readonly model: string;
  /** Digits, or undefined where the path names no version. */
  readonly version: string | undefined;
  /** Stands for a version. */
  readonly label?: string;
}

const prefix = '/v2/models/';
const suffix = '/infer';
const versions = 'versions/';

/**
 * Reads `/v2/models/{model}[/versions/{version}]/infer`, with or without a query; undefined for every other path.
 * One pass without a regular expression: this stands before every inference.
 */
export function readInferPath(url: string): InferPath | undefined {
  const query = url.indexOf('?');
  const end = query < 0 ? url.length : query;
  if (!url.startsWith(prefix) || !url.startsWith(suffix, end - suffix.length)) return undefined;
  const middle = url.slice(prefix.length, end - suffix.length);
  const slash = middle.indexOf('/');
  if (slash < 0) return middle === '' ? undefined : inferPath(middle, undefined);
  if (slash === 0 || !middle.startsWith(versions, slash + 1)) return undefined;
  const version = middle.slice(slash + 1 + versions.length);
  return isVersionText(version) ? inferPath(middle.slice(0, slash), version) : undefined;
}

function inferPath(model: string, version: string | undefined): InferPath {
  return { dialect: 'v2', model: readModelName(model), version };
}
