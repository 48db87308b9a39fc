/** Stands for every model that has no label of its own. */
export const otherModels = '_other';

/**
 * Which models have time series of their own. The first `maxModels` that are served get a label and keep it for as long
 * as the catalogue has them; all later ones share `_other`, so that a fleet of thousands does not drown its Prometheus.
 * First come rather than most used: a label that moves between models makes every rate over it wrong.
 */
export class ModelLabels {
  readonly #maxModels: number;
  readonly #labelled = new Set<string>();

  constructor(maxModels: number) {
    this.#maxModels = maxModels;
  }

  /** Only of models that exist: a name that a client made up would take a place for ever. */
  labelOf(model: string): string {
    if (this.#labelled.has(model)) return model;
    if (this.#labelled.size >= this.#maxModels) return otherModels;
    this.#labelled.add(model);
    return model;
  }

  /** Gives the places of models that are gone to others; returns their labels. */
  retain(known: ReadonlySet<string>): string[] {
    const gone = [...this.#labelled].filter((model) => !known.has(model));
    for (const model of gone) this.#labelled.delete(model);
    return gone;
  }
}
