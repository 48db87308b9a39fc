import { SkeinError } from '../protocol/errors.ts';
import { parseHttpUrl } from './parse-setting.ts';

/** Kinds of foreign servers that can be declared: one adapter each. */
export const externalKinds = ['v2'] as const;

/** A server that runs already and serves some models for the mesh, as the settings file declares it. */
export interface ExternalBackend {
  readonly name: string;
  readonly kind: (typeof externalKinds)[number];
  /** Without a slash at the end. */
  readonly url: string;
  readonly models: readonly string[];
}

/** Names such as b1 are those of the local backends. */
const namePattern = /^(?!b\d+$)[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

const fields: Readonly<Record<keyof ExternalBackend, { readonly form: string; fits(value: unknown): boolean }>> = {
  name: {
    form: 'a name of letters, digits, dots, underscores and dashes that is not one of a local backend (b1, b2, …)',
    fits: (value) => typeof value === 'string' && namePattern.test(value),
  },
  kind: { form: `one of ${externalKinds.join(', ')}`, fits: (value) => externalKinds.some((kind) => kind === value) },
  url: {
    form: 'an http:// or https:// URL',
    fits: (value) => typeof value === 'string' && parseHttpUrl(value) !== undefined,
  },
  models: {
    form: 'a list of the names of its models, one at least',
    fits: (value) =>
      Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string' && name !== ''),
  },
};

/** Checks the entry `"backends"` of the settings file at `path`. */
export function parseExternalBackends(value: unknown, path: string): readonly ExternalBackend[] {
  if (!Array.isArray(value)) throw invalid(`"backends" in ${path}`, value, 'a list of external servers');
  const backends = value.map((entry, index) => parseEntry(entry, `"backends"[${index}]`, path));
  const twice = backends.find(({ name }, index) => backends.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) throw invalid(`"name" of a backend in ${path}`, twice.name, 'a name that no other has');
  return Object.freeze(backends);
}

function parseEntry(entry: unknown, where: string, path: string): ExternalBackend {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    throw invalid(`${where} in ${path}`, entry, 'an object with name, kind, url and models');
  }
  const given = entry as Record<string, unknown>;
  for (const [field, { form, fits }] of Object.entries(fields)) {
    if (!fits(given[field])) throw invalid(`${where}."${field}" in ${path}`, given[field], form);
  }
  const surplus = Object.keys(given).find((name) => !Object.hasOwn(fields, name));
  if (surplus !== undefined) {
    const suggestion = `a backend has ${Object.keys(fields).join(', ')}`;
    throw new SkeinError('setting_unknown', { origin: `${where}."${surplus}" in ${path}`, suggestion });
  }
  const { name, kind, url, models } = given as unknown as ExternalBackend;
  return Object.freeze({ name, kind, url: parseHttpUrl(url) ?? url, models: Object.freeze([...new Set(models)]) });
}

function invalid(origin: string, value: unknown, expected: string): SkeinError {
  return new SkeinError('setting_invalid', { origin, value: JSON.stringify(value) ?? 'missing', expected });
}
