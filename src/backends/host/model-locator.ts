import { stat } from 'node:fs/promises';
import { isAbsolute, join, normalize, sep } from 'node:path';
import { SkeinError } from '../../protocol/errors.ts';
import type { CopySpec } from '../../protocol/link/messages.ts';

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
    if (!isAbsolute(spec.directory)) {
      for (const root of this.#directories) {
        const path = normalize(join(root, spec.directory));
        if (path.startsWith(root + sep) && (await isThere(path))) return { ...spec, directory: path };
      }
    }
    throw new SkeinError('model_not_here', {
      backend: this.#backendId,
      path: spec.directory,
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
