import type { ModelListSource } from '../fleet/repository/model-list-source.ts';
import type { RepositoryWatch } from '../fleet/repository/watch-repository.ts';
import type { ListedModel } from '../protocol/tfserving/listed-model.ts';
import type { ModelLists } from '../router/servers/grpc/tfserving-methods.ts';
import type { RouterParty } from './router-news.ts';

/** The models that clients list in calls, of all processes behind one port. */
export class ListedModels implements ModelLists {
  readonly #source: ModelListSource;
  readonly #watch: RepositoryWatch;
  readonly #party: RouterParty;
  /** Undefined: no client has sent a list. */
  sent: readonly ListedModel[] | undefined;

  constructor(source: ModelListSource, watch: RepositoryWatch, party: RouterParty) {
    this.#source = source;
    this.#watch = watch;
    this.#party = party;
  }

  async replace(models: readonly ListedModel[]): Promise<void> {
    const { leader, tell } = this.#party;
    if (leader !== undefined) return leader({ verb: 'list', models });
    await this.goBy(models);
    await tell({ kind: 'list', models });
  }

  async goBy(models: readonly ListedModel[]): Promise<void> {
    await this.#source.replace(models, Date.now());
    this.sent = models;
    // A look that is under way may have begun with the list before.
    await this.#watch.poll();
    await this.#watch.poll();
  }
}
