import type { BackendRecord } from '../../adapters/adapter.ts';
import type { EngineKind } from '../../fleet/repository/model-backend.ts';
import type { ProcessEnd } from '../routing/process-end.ts';

/** Whoever starts backend processes on this host, as the mesh sees it. */
export interface ProcessKeeper {
  /** How the process behind a lost backend ended; `unknown` where it lives, or nobody here started it. */
  endOf(backendId: string): Promise<ProcessEnd>;
  /** Starts a backend that serves only what it is sent by name; resolves with where it listens. */
  openApart(id: string, engine: EngineKind): Promise<BackendRecord>;
  closeApart(id: string): void;
  /**
   * Where no process can be had apart, suspects are tried among the others, one at a time in the whole fleet: waits for
   * that, resolves with what ends it, or with undefined where it did not come. Left out: processes can be had.
   */
  takeTurn?(): Promise<(() => Promise<void>) | undefined>;
  /** Starts the process of a backend that runs on demand, if it does not run. */
  wake(backendId: string): void;
}
