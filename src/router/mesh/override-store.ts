import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import type { RepositoryModel } from '../../fleet/repository/repository-model.ts';
import { SkeinError } from '../../protocol/errors.ts';

interface Override {
  readonly directory: string;
  /** What the repository had; undefined for a model that exists in the load call alone. */
  readonly original: RepositoryModel | undefined;
  /** The one that it takes the place of, until it is known to load. */
  readonly former: Override | undefined;
}

/** Models whose files came in a load call: kept until the next load without files, or the end of the process. */
export class OverrideStore {
  readonly #root: string;
  readonly #overrides = new Map<string, Override>();

  /** `root`: of this process alone; made when it is needed. */
  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Writes the files, which count instead of earlier ones, and answers the model as a repository would show it. What
   * follows is `settle` or `undo`. Paths: `<version>/<name>`.
   */
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
    const refused = (detail: string) => new SkeinError('load_parameter', { model, detail });
    const versions = versionsOf(files.keys());
    if (versions.length === 0) throw refused("files must be named 'file:<version>/<name>'");
    const placed = [...files].map(([name, bytes]) => ({ name, bytes, path: normalize(join(directory, name)) }));
    const astray = placed.find(({ path }) => !path.startsWith(directory + sep));
    if (astray !== undefined) throw refused(`'file:${astray.name}' leads out of the model's directory`);
    for (const { path, bytes } of placed) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }
    const former = this.#overrides.get(model);
    this.#overrides.set(model, { directory, original: former === undefined ? current : former.original, former });
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

  /** The model loads: earlier files are not needed any more. */
  async settle(model: string): Promise<void> {
    const found = this.#overrides.get(model);
    if (found?.former === undefined) return;
    this.#overrides.set(model, { ...found, former: undefined });
    if (found.former.directory !== found.directory) await removeDirectory(found.former.directory);
  }

  /** The model does not load: what was before it counts again. */
  async undo(model: string): Promise<void> {
    const found = this.#overrides.get(model);
    if (found === undefined) return;
    if (found.former === undefined) this.#overrides.delete(model);
    else this.#overrides.set(model, found.former);
    if (found.former?.directory !== found.directory) await removeDirectory(found.directory);
  }

  /** Forgets the override and its files; undefined where there was none. */
  async release(model: string): Promise<Override | undefined> {
    const found = this.#overrides.get(model);
    if (found === undefined) return undefined;
    this.#overrides.delete(model);
    await removeDirectory(found.directory);
    return found;
  }
}

function removeDirectory(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true });
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
