import { stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize, sep } from 'node:path';
import { stampTimeMs } from '../../fleet/repository/file-stamp.ts';
import { scanModel } from '../../fleet/repository/scan-model.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { CopySpec, ModelFinding } from '../../protocol/link/messages.ts';

/** Finds the files of a model in the directories of this host: the first that has them counts. */
export class ModelLocator {
  readonly #backendId: string;
  readonly #directories: readonly string[];

  /** `directories`: absolute. */
  constructor(backendId: string, directories: readonly string[]) {
    this.#backendId = backendId;
    this.#directories = directories;
  }

  /** Rejects with `model_not_here`, after which another backend may have it. A router names no file outside of them. */
  async locate(spec: CopySpec): Promise<CopySpec> {
    if (spec.source !== undefined) return spec; // fetched, wherever it comes from
    return { ...spec, directory: join(...(await this.#place(spec.directory))) };
  }

  /** What the model's files show, as a scan of the directory would. */
  async find(path: string): Promise<ModelFinding> {
    const [root, relative] = await this.#place(path);
    const context = { root: dirname(join(root, relative)), followOutside: false, nowMs: Date.now() };
    const name = basename(relative);
    const scanned = await scanModel({ name, directory: name }, {}, context);
    const problem = scanned === undefined ? 'it is no directory' : scanned.model.problem;
    if (problem !== undefined) throw new SkeinError('model_not_found', { path, reason: problem });
    const { versions, versionStamps: stamps } = scanned!.model;
    return { versions, stamps, changedAtMs: Math.max(...stamps.map(stampTimeMs)) };
  }

  async #place(relative: string): Promise<[root: string, relative: string]> {
    if (!isAbsolute(relative)) {
      for (const root of this.#directories) {
        const path = normalize(join(root, relative));
        if (path.startsWith(root + sep) && (await isThere(path))) return [root, relative];
      }
    }
    throw new SkeinError('model_not_here', {
      backend: this.#backendId,
      path: relative,
      directories: this.#directories.join(', ') || 'none',
    });
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
