import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import type { RepositoryModel } from '../../fleet/repository/repository-model.ts';
import { SkeinError } from '../../protocol/errors.ts';

interface Override {
  readonly directory: string;
  /** What the repository had; undefined for a model that exists in the load call alone. */
  readonly original: RepositoryModel | undefined;
}

/** Models whose files came in a load call: kept in the state directory until the next load without files. */
export class OverrideStore {
  readonly #root: string;
  readonly #overrides = new Map<string, Override>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Writes the files and answers the model as a repository would show it. Paths are `<version>/<name>`. */
  async store(
    model: string,
    files: ReadonlyMap<string, Uint8Array>,
    current: RepositoryModel | undefined,
  ): Promise<RepositoryModel> {
    const digest = digestOf(files);
    const directory = join(
      this.#root,
      `${createHash('sha256').update(model).digest('hex').slice(0, 16)}-${digest.slice(0, 16)}`,
    );
    for (const [name, bytes] of files) {
      const path = normalize(join(directory, name));
      if (!path.startsWith(directory + sep))
        throw new SkeinError('load_parameter', { model, detail: `'file:${name}' leads out of the model's directory` });
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }
    const versions = versionsOf(files.keys());
    if (versions.length === 0)
      throw new SkeinError('load_parameter', { model, detail: "files must be named 'file:<version>/<name>'" });
    this.#overrides.set(model, { directory, original: this.#overrides.get(model)?.original ?? current });
    return {
      name: model,
      path: directory,
      layout: 'directory',
      versions,
      versionStamps: versions.map(() => digest),
      stamp: digest,
      hasConfig: false,
    };
  }

  has(model: string): boolean {
    return this.#overrides.has(model);
  }

  /** Forgets the override; undefined where there was none. Its files go once nothing can be loading them. */
  async release(model: string): Promise<Override | undefined> {
    const found = this.#overrides.get(model);
    if (found === undefined) return undefined;
    this.#overrides.delete(model);
    await rm(found.directory, { recursive: true, force: true });
    return found;
  }
}

function versionsOf(names: Iterable<string>): number[] {
  const versions = new Set<number>();
  for (const name of names) {
    const version = /^(\d+)\//.exec(name)?.[1];
    if (version !== undefined) versions.add(Number(version));
  }
  return [...versions].sort((a, b) => a - b);
}

function digestOf(files: ReadonlyMap<string, Uint8Array>): string {
  const hash = createHash('sha256');
  for (const [name, bytes] of files) hash.update(`${name}\n${bytes.byteLength}\n`).update(bytes);
  return hash.digest('hex');
}
