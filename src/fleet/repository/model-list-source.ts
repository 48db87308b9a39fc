import { readFile, stat } from 'node:fs/promises';
import { SkeinError } from '../../protocol/errors.ts';
import type { ListedModel } from '../../protocol/tfserving/listed-model.ts';
import { fileFault } from './file-fault.ts';
import { checkModelList, type ModelListEntry } from './model-list.ts';
import { parseModelListFile } from './model-list-file.ts';
import type { RepositoryNotice } from './repository-model.ts';
import type { RepositoryScan } from './scan.ts';
import { scanModelList } from './scan-model-list.ts';

/** Where the models of a model_config_list are listed: in a file, which may change, and in what a client sent last. */
export class ModelListSource {
  /** '' where there is none. */
  readonly #path: string;
  #entries: readonly ModelListEntry[] = [];
  #fileStamp = '';
  #notices: readonly RepositoryNotice[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /** Fails for a file that cannot be used at the start; later it keeps what was listed before, and says so. */
  async scan(previous: RepositoryScan | undefined, nowMs: number): Promise<RepositoryScan> {
    try {
      await this.#readFile();
    } catch (fault) {
      if (previous === undefined) throw fault;
      this.#notices = [{ name: this.#path, reason: SkeinError.from(fault).message }];
    }
    const scan = await scanModelList(this.#entries, previous, nowMs);
    return { ...scan, notices: [...this.#notices, ...scan.notices] };
  }

  /**
   * From now on these are the models, until the file changes. Throws, and leaves all as it was, where the list is wrong or
   * a label names a version that would not be served.
   */
  async replace(models: readonly ListedModel[], nowMs: number): Promise<void> {
    const entries = checkModelList(models);
    const scan = await scanModelList(entries, undefined, nowMs);
    for (const { name, labels } of entries) {
      const served = scan.models.get(name)?.versions ?? [];
      const version = [...labels.values()].find((labelled) => !served.includes(labelled));
      if (version !== undefined) throw new SkeinError('label_unavailable', { model: name, version });
    }
    this.#entries = entries;
  }

  async #readFile(): Promise<void> {
    if (this.#path === '') return;
    try {
      const { mtimeMs, size } = await stat(this.#path);
      const stamp = `${mtimeMs} ${size}`;
      if (stamp === this.#fileStamp) return;
      const { models, notices } = parseModelListFile(await readFile(this.#path, 'utf8'), this.#path);
      this.#entries = checkModelList(models);
      this.#notices = notices.map((reason) => ({ name: this.#path, reason }));
      this.#fileStamp = stamp;
    } catch (fault) {
      throw fileFault(this.#path, fault);
    }
  }
}
