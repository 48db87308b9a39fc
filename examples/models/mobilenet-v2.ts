import { type Convolution, ConvolutionGraph } from './convolution.ts';
import { WeightStream } from './weights.ts';

export interface ImageModelOptions {
  readonly seed?: number;
  /** Name of the free batch dimension, or a fixed size. */
  readonly batch?: string | number;
}

/** Sandler et al. 2018, table 2: expansion, channels, repeats, stride of the first. */
const blocks = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/**
 * MobileNetV2 with random weights, batch normalisation folded in: `input` FP32 [N,3,224,224] to `output` FP32 [N,1000].
 * 3.5 million parameters, 14 MB, about 8 ms of one core for an image.
 */
export function mobileNetV2({ seed = 1, batch = 'N' }: ImageModelOptions = {}): ConvolutionGraph {
  const graph = new ConvolutionGraph('mobilenet_v2', new WeightStream(seed));
  const layers: ImageLayers = {
    convolution: (input, options) => graph.convolution(input, options),
    add: (a, b) => graph.node('Add', [a, b]),
    classifier: (input, features, classes) => graph.classifier(input, features, classes, batch),
  };
  layMobileNetV2(layers, graph.input('input', 'float', [batch, 3, 224, 224]));
  return graph;
}

/** What the network is laid in: a graph of ONNX's operators, or of another runtime's. */
export interface ImageLayers {
  convolution(input: string, options: Convolution): string;
  add(a: string, b: string): string;
  classifier(input: string, features: number, classes: number): void;
}

/** Layer after layer, in the order that decides which weights each gets. */
export function layMobileNetV2(graph: ImageLayers, input: string): void {
  let x = graph.convolution(input, { from: 3, to: 32, kernel: 3, stride: 2, activation: 'relu6' });
  let channels = 32;
  for (const [expansion, to, repeats, firstStride] of blocks) {
    for (let i = 0; i < repeats; i++) {
      x = invertedResidual(graph, x, { from: channels, to, expansion, stride: i === 0 ? firstStride : 1 });
      channels = to;
    }
  }
  x = graph.convolution(x, { from: channels, to: 1280, kernel: 1, activation: 'relu6' });
  graph.classifier(x, 1280, 1000);
}

interface InvertedResidual {
  readonly from: number;
  readonly to: number;
  readonly expansion: number;
  readonly stride: number;
}

function invertedResidual(graph: ImageLayers, input: string, { from, to, expansion, stride }: InvertedResidual) {
  const wide = from * expansion;
  let x = input;
  if (expansion > 1) x = graph.convolution(x, { from, to: wide, kernel: 1, activation: 'relu6' });
  x = graph.convolution(x, { from: wide, to: wide, kernel: 3, stride, groups: wide, activation: 'relu6' });
  x = graph.convolution(x, { from: wide, to, kernel: 1 });
  return stride === 1 && from === to ? graph.add(x, input) : x;
}
