import type { Convolution } from './convolution.ts';
import { type ImageLayers, layMobileNetV2 } from './mobilenet-v2.ts';
import { GraphDefBuilder } from './savedmodel-writer/graph-def.ts';
import { writeSavedModel } from './savedmodel-writer/saved-model.ts';
import { WeightStream } from './weights.ts';

const type = { type: 'float' } as const;

/** The layers of image networks as TensorFlow has them: channels last, weights with the filter's size first. */
class ConvolutionLayers implements ImageLayers {
  readonly graph = new GraphDefBuilder();
  readonly #weights: WeightStream;

  constructor(weights: WeightStream) {
    this.#weights = weights;
  }

  convolution(
    input: string,
    { from, to, kernel, stride = 1, groups = 1, activation = 'none', gain = 1 }: Convolution,
  ): string {
    const fanIn = (from / groups) * kernel * kernel;
    const variance = gain * (activation === 'none' ? 1 : 2);
    const weights = rawFloats(this.#weights.scaled([to, from / groups, kernel, kernel], fanIn, variance));
    const bias = this.graph.floats([to], rawFloats(this.#weights.uniform([to], 0.01)));
    // TensorFlow's own padding of a stride puts more at the end than at the beginning; Keras pads by hand, too.
    const padded = stride === 1 ? input : this.#pad(input, (kernel - 1) / 2);
    const attributes = {
      T: type,
      strides: { ints: [1, stride, stride, 1] },
      padding: { text: stride === 1 ? 'SAME' : 'VALID' },
      data_format: { text: 'NHWC' },
      dilations: { ints: [1, 1, 1, 1] },
    };
    const isDepthwise = groups > 1;
    const shape = isDepthwise ? [kernel, kernel, from, 1] : [kernel, kernel, from, to];
    const filter = this.graph.floats(shape, filterSizeFirst(weights, to, from / groups, kernel * kernel));
    const op = isDepthwise ? 'DepthwiseConv2dNative' : 'Conv2D';
    const output = this.graph.node('BiasAdd', [this.graph.node(op, [padded, filter], attributes), bias], { T: type });
    if (activation === 'none') return output;
    return this.graph.node(activation === 'relu' ? 'Relu' : 'Relu6', [output], { T: type });
  }

  #pad(input: string, pad: number): string {
    const bytes = new Uint8Array(Int32Array.of(0, 0, pad, pad, pad, pad, 0, 0).buffer);
    const paddings = this.graph.constant({ type: 'int32', shape: [4, 2], data: bytes });
    return this.graph.node('Pad', [input, paddings], { T: type, Tpaddings: { type: 'int32' } });
  }

  add(a: string, b: string): string {
    return this.graph.node('AddV2', [a, b], { T: type });
  }

  classifier(input: string, features: number, classes: number): void {
    const pooled = this.graph.node('Mean', [input, this.graph.int32s([1, 2])], { T: type, Tidx: { type: 'int32' } });
    const weights = this.graph.floats(
      [classes, features],
      rawFloats(this.#weights.scaled([classes, features], features, 1)),
    );
    const bias = this.graph.floats([classes], rawFloats(this.#weights.uniform([classes], 0.01)));
    const product = this.graph.node('MatMul', [pooled, weights], { T: type, transpose_b: { bool: true } });
    this.graph.node('BiasAdd', [product, bias], { T: type }, 'logits');
  }
}

/**
 * The MobileNetV2 of mobilenet-v2.ts, weight for weight, as a SavedModel: `input` FP32 [N,224,224,3] (channels last) to
 * `output` FP32 [N,1000].
 */
export function writeTensorflowMobileNetV2(directory: string, seed = 1): void {
  const layers = new ConvolutionLayers(new WeightStream(seed));
  layers.graph.placeholder('image', 'float', [-1, 224, 224, 3]);
  layMobileNetV2(layers, 'image');
  writeSavedModel(directory, layers.graph, {
    serving_default: {
      inputs: { input: { tensor: 'image:0', type: 'float', shape: [-1, 224, 224, 3] } },
      outputs: { output: { tensor: 'logits:0', type: 'float', shape: [-1, 1000] } },
    },
  });
}

function rawFloats({ data }: ReturnType<WeightStream['uniform']>): Float32Array {
  if (!('raw' in data)) throw new Error('weights that are no numbers');
  return new Float32Array(data.raw.buffer, data.raw.byteOffset, data.raw.byteLength / 4);
}

/** From [to, from, size] to [size, from, to]. Of a depthwise filter `from` is 1 and `to` its channels. */
function filterSizeFirst(weights: Float32Array, to: number, from: number, size: number): Float32Array {
  const turned = new Float32Array(weights.length);
  for (let o = 0; o < to; o++)
    for (let i = 0; i < from; i++)
      for (let k = 0; k < size; k++) turned[(k * from + i) * to + o] = weights[(o * from + i) * size + k]!;
  return turned;
}
