import { type ConstantTensor, floats } from './onnx-writer/tensor.ts';

/**
 * Random weights that are the same on every machine: one stream per seed, so a model depends on its seed and on the
 * order in which its layers are built, and on nothing else.
 */
export class WeightStream {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Uniform in (-limit, limit): a tensor whose elements have variance limit² / 3. */
  uniform(shape: readonly number[], limit: number): ConstantTensor {
    const values = new Float32Array(shape.reduce((count, dimension) => count * dimension, 1));
    const scale = limit / 2 ** 31;
    let state = this.#state;
    for (let i = 0; i < values.length; i++) {
      // Numerical Recipes' linear congruential generator: plenty for weights, and a nanosecond each.
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      values[i] = state * scale;
    }
    this.#state = state;
    return floats(shape, values);
  }

  /**
   * Weights that keep the variance of what flows through a layer of `fanIn` inputs; `gain` is 2 before a ReLU, which
   * halves it (He et al. 2015), and 1 before nothing.
   */
  scaled(shape: readonly number[], fanIn: number, gain: number): ConstantTensor {
    return this.uniform(shape, Math.sqrt((3 * gain) / fanIn));
  }
}
