/**
 * What is known of every model of a repository, loaded or not. There may be ten thousand of these in every router, so an
 * entry holds little.
 */
export interface RepositoryModel {
  readonly name: string;
  /** Absolute path of the model's directory; of the file itself where a single file was named. */
  readonly path: string;
  /** `file`: one model file without directories, always version 1. */
  readonly layout: 'directory' | 'file';
  /** Those that the version policy serves and that have a model file, ascending. */
  readonly versions: readonly number[];
  /** One for each of `versions`: changes when the configuration or the model file of that version changes. */
  readonly versionStamps: readonly string[];
  /** Changes when anything above does. */
  readonly stamp: string;
  readonly hasConfig: boolean;
  /** Names that stand for versions, whether those are served or not. */
  readonly labels?: ReadonlyMap<string, number>;
  /** Which engine runs its newest version; left out: ONNX Runtime, which runs most. */
  readonly engine?: 'tensorflow';
  /** Why nothing of it can be loaded; the model is known all the same and this text is served where it is not loaded yet. */
  readonly problem?: string;
}

/** An entry of the repository that is no model, or could not be read: logged once, never served. */
export interface RepositoryNotice {
  readonly name: string;
  readonly reason: string;
}

export interface RepositorySnapshot {
  readonly models: ReadonlyMap<string, RepositoryModel>;
  readonly notices: readonly RepositoryNotice[];
}

export interface RepositoryChanges {
  readonly added: readonly RepositoryModel[];
  readonly removed: readonly string[];
  /** As they are now. */
  readonly changed: readonly RepositoryModel[];
}
