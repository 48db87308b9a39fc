import { GraphBuilder } from './onnx-writer/graph-builder.ts';
import { floats } from './onnx-writer/tensor.ts';
import type { WeightStream } from './weights.ts';

export interface Convolution {
  readonly from: number;
  readonly to: number;
  /** Odd; the input is padded so that only the stride changes its size. */
  readonly kernel: number;
  readonly stride?: number;
  readonly groups?: number;
  readonly activation?: 'relu' | 'relu6' | 'none';
  /** Multiplies the variance of the output: below 1 for the branch that is added to a shortcut. */
  readonly gain?: number;
}

/** A graph of convolution layers with deterministic weights, in the layout that image networks share. */
export class ConvolutionGraph extends GraphBuilder {
  readonly #weights: WeightStream;
  #clipBounds: readonly string[] | undefined;

  constructor(name: string, weights: WeightStream) {
    super(name);
    this.#weights = weights;
  }

  convolution(
    input: string,
    { from, to, kernel, stride = 1, groups = 1, activation = 'none', gain = 1 }: Convolution,
  ): string {
    const fanIn = (from / groups) * kernel * kernel;
    const variance = gain * (activation === 'none' ? 1 : 2);
    const weights = this.constant(this.#weights.scaled([to, from / groups, kernel, kernel], fanIn, variance));
    const bias = this.constant(this.#weights.uniform([to], 0.01));
    const pad = (kernel - 1) / 2;
    const output = this.node('Conv', [input, weights, bias], {
      dilations: [1, 1],
      group: groups,
      kernel_shape: [kernel, kernel],
      pads: [pad, pad, pad, pad],
      strides: [stride, stride],
    });
    if (activation === 'relu') return this.node('Relu', [output]);
    if (activation === 'relu6') return this.node('Clip', [output, ...this.#boundsOfRelu6()]);
    return output;
  }

  /** Average over the image, then a dense layer: the head of a classifier. Declares the graph's one output. */
  classifier(input: string, features: number, classes: number, batch: string | number): void {
    const pooled = this.node('Flatten', [this.node('GlobalAveragePool', [input])], { axis: 1 });
    const weights = this.constant(this.#weights.scaled([classes, features], features, 1), 'classifier_weights');
    const bias = this.constant(this.#weights.uniform([classes], 0.01), 'classifier_bias');
    this.node('Gemm', [pooled, weights, bias], { transB: 1 }, { outputs: ['output'] });
    this.output('output', 'float', [batch, classes]);
  }

  #boundsOfRelu6(): readonly string[] {
    this.#clipBounds ??= [this.constant(floats([], [0])), this.constant(floats([], [6]))];
    return this.#clipBounds;
  }
}
