/** Body of POST /v2/repository/index. */
export type RepositoryIndex = readonly RepositoryIndexEntry[];

export type ModelState = 'UNKNOWN' | 'READY' | 'UNAVAILABLE' | 'LOADING' | 'UNLOADING';

/** A model that was never loaded has its name alone. */
interface RepositoryIndexEntry {
  readonly name: string;
  readonly version?: string;
  readonly state?: ModelState;
  /** Why it is not ready, the error text of a failed load for one; '' when there is nothing to say. */
  readonly reason?: string;
}
