import type { BodyDialect } from '../../protocol/link/infer-head.ts';
import type { InferPath } from './infer-path.ts';

/** What a GET below /v1/models asks for. */
export interface V1Question {
  /** Empty where the path names none. */
  readonly model: string;
  readonly version: string | undefined;
  readonly label: string | undefined;
  readonly isMetadata: boolean;
}

/** TensorFlow Serving's own expressions (model_servers/http_rest_api_util.cc). */
const inferPattern = /^\/v1\/models\/([^/:]+)(?:\/versions\/(\d+)|\/labels\/([^/:]+))?:(classify|regress|predict)$/i;
const questionPattern = /^\/v1\/models(?:\/([^/:]+))?(?:\/versions\/(\d+)|\/labels\/([^/:]+))?(?:\/(metadata))?$/i;

const dialects: Readonly<Record<string, BodyDialect>> = {
  predict: 'v1Predict',
  classify: 'v1Classify',
  regress: 'v1Regress',
};

/** Reads `/v1/models/{model}[/versions/{version}|/labels/{label}]:{method}`; undefined for every other path. */
export function readV1InferPath(url: string): InferPath | undefined {
  if (!url.startsWith('/v1/')) return undefined;
  const match = inferPattern.exec(withoutQuery(url));
  if (match === null) return undefined;
  const [, model, version, label, method] = match;
  const dialect = dialects[method!.toLowerCase()]!;
  const read = { dialect, model: decoded(model!), version };
  return label === undefined ? read : { ...read, label: decoded(label) };
}

export function readV1Question(url: string): V1Question | undefined {
  const match = questionPattern.exec(withoutQuery(url));
  if (match === null) return undefined;
  const [, model = '', version, label, metadata] = match;
  return {
    model: decoded(model),
    version,
    label: label === undefined ? undefined : decoded(label),
    isMetadata: metadata !== undefined,
  };
}

function withoutQuery(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

function decoded(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
