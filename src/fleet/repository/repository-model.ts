/**
 * What is known of every model of a repository, loaded or not. There may be ten thousand of these in every router, so an
 * entry holds little and its arrays and strings are shared where they are alike.
 */
export interface RepositoryModel {
  readonly name: string;
  /** Absolute path of the model's directory; of the file itself where a single file was named. */
  readonly path: string;
  /** `file`: one model file without directories, always version 1. */
  readonly layout: 'directory' | 'file';
  /** Those that the version policy serves, ascending. Empty with `problem` set, or while no version is there yet. */
  readonly versions: readonly number[];
  /** Changes when the configuration, the set of versions or a model file of a served version changes. */
  readonly stamp: string;
  readonly hasConfig: boolean;
  /** Why nothing of it can be loaded; the model is known all the same and this text is served. */
  readonly problem?: string;
}

export interface RepositoryChanges {
  readonly added: readonly RepositoryModel[];
  readonly removed: readonly string[];
  /** As they are now. */
  readonly changed: readonly RepositoryModel[];
}

/** A directory entry that is no model, or could not be read: logged once, never served. */
export interface RepositoryNotice {
  readonly name: string;
  readonly reason: string;
}

export interface RepositorySnapshot {
  readonly models: ReadonlyMap<string, RepositoryModel>;
  readonly notices: readonly RepositoryNotice[];
}
