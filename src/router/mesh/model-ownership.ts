import { ownerOf } from '../scaling/model-owner.ts';
import type { ModelEntry } from './model-entry.ts';

/** This router, and all that serve the same fleet, itself included. */
export interface RouterNames {
  readonly self: string;
  readonly all: () => readonly string[];
}

/** Models whose owner is remembered; past it all are worked out again. */
const maxOwned = 100_000;

/** Which models this router decides for: a part that all routers know alike, without asking each other. */
export class ModelOwnership {
  readonly #names: RouterNames;
  readonly #owned = new Map<ModelEntry, boolean>();
  #routers: readonly string[] = [];
  #among = '';
  /** Grows when other routers are there than before: what was decided for others' models is theirs again. */
  epoch = 0;

  constructor(names: RouterNames = { self: '', all: () => [] }) {
    this.#names = names;
    this.look();
  }

  /** Routers that share the models; 1 where this one is alone. */
  get routers(): number {
    return Math.max(1, this.#routers.length);
  }

  /** This one's among them, from 0. */
  get position(): number {
    return Math.max(0, this.#routers.indexOf(this.#names.self));
  }

  /** Who is there now: asked before each round of decisions. */
  look(): void {
    const routers = this.#names.all();
    const among = routers.join('\n');
    if (among === this.#among) return;
    this.#routers = routers;
    this.#among = among;
    this.#owned.clear();
    this.epoch++;
  }

  isOurs(entry: ModelEntry): boolean {
    if (this.#routers.length < 2) return true;
    let isOurs = this.#owned.get(entry);
    if (isOurs === undefined) {
      if (this.#owned.size >= maxOwned) this.#owned.clear();
      isOurs = ownerOf(entry.name, this.#routers) === this.#names.self;
      this.#owned.set(entry, isOurs);
    }
    return isOurs;
  }
}
