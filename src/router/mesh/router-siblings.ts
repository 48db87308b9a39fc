import type { RepositoryModel } from '../../fleet/repository/repository-model.ts';
import type { Refusal } from '../routing/quarantine.ts';
import type { Mesh } from './mesh-port.ts';

/** What load and unload calls made of a model. */
export interface ModelService {
  readonly model: string;
  readonly isUnloaded: boolean;
  readonly configOverride: string | undefined;
  /** Of the repository, or of the caller's own files; undefined: nobody has any more. */
  readonly repository: RepositoryModel | undefined;
}

/**
 * The router processes behind the same port, this one among them. One leads: it takes the load and unload calls of all, so
 * that all go by the same calls in the same order.
 */
export interface RouterSiblings {
  /** Undefined: this one leads. */
  readonly leader: Pick<Mesh, 'load' | 'unload'> | undefined;
  /** Tells those that follow; resolves when they go by it. */
  announce(service: ModelService): Promise<void>;
  /** Tells all others of what this one has convicted; they hear it soon. */
  convict(refusal: Refusal): void;
}

export const noSiblings: RouterSiblings = { leader: undefined, announce: () => Promise.resolve(), convict: () => {} };
