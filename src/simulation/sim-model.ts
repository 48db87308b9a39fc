import { normal, seededRandom } from './seeded-random.ts';
import type { SimCopy } from './sim-copy.ts';

export class SimModel {
  readonly index: number;
  readonly name: string;
  readonly bytes: number;
  readonly loadMs: number;
  /** Those that are there, and those that went so lately that somebody may not know. */
  copies: SimCopy[] = [];

  constructor(index: number, name: string, bytes: number, loadMs: number) {
    this.index = index;
    this.name = name;
    this.bytes = bytes;
    this.loadMs = loadMs;
  }
}

interface ModelSizes {
  readonly meanBytes: number;
  readonly sizeSpread: number;
  readonly loadMs: number;
  readonly seed: number;
}

/** Sizes are drawn once; a model of twice the size takes twice as long to load. */
export function makeModels(names: readonly string[], { meanBytes, sizeSpread, loadMs, seed }: ModelSizes): SimModel[] {
  const random = seededRandom(seed ^ 0x51ed270b);
  return names.map((name, index) => {
    const factor = sizeSpread === 0 ? 1 : Math.exp(sizeSpread * normal(random) - sizeSpread ** 2 / 2);
    return new SimModel(index, name, Math.round(meanBytes * factor), loadMs * factor);
  });
}
