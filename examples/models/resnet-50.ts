import { ConvolutionGraph } from './convolution.ts';
import type { ImageModelOptions } from './mobilenet-v2.ts';
import { WeightStream } from './weights.ts';

/** He et al. 2016, table 1: blocks, channels of the bottleneck, stride of the first. */
const stages = [
  [3, 64, 1],
  [4, 128, 2],
  [6, 256, 2],
  [3, 512, 2],
] as const;

/**
 * ResNet-50 with random weights, batch normalisation folded in: `input` FP32 [N,3,224,224] to `output` FP32 [N,1000].
 * 25.5 million parameters, 102 MB, about 60 ms of one core for an image.
 */
export function resNet50({ seed = 1, batch = 'N' }: ImageModelOptions = {}): ConvolutionGraph {
  const graph = new ConvolutionGraph('resnet_50', new WeightStream(seed));
  let x = graph.input('input', 'float', [batch, 3, 224, 224]);
  x = graph.convolution(x, { from: 3, to: 64, kernel: 7, stride: 2, activation: 'relu' });
  x = graph.node('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  let channels = 64;
  for (const [repeats, width, firstStride] of stages) {
    for (let i = 0; i < repeats; i++) {
      x = bottleneck(graph, x, { from: channels, width, stride: i === 0 ? firstStride : 1 });
      channels = width * 4;
    }
  }
  graph.classifier(x, channels, 1000, batch);
  return graph;
}

function bottleneck(
  graph: ConvolutionGraph,
  input: string,
  { from, width, stride }: { readonly from: number; readonly width: number; readonly stride: number },
): string {
  const to = width * 4;
  // 16 blocks add a branch each: a fifth of the variance keeps the sum within a factor of twenty.
  let x = graph.convolution(input, { from, to: width, kernel: 1, activation: 'relu' });
  x = graph.convolution(x, { from: width, to: width, kernel: 3, stride, activation: 'relu' });
  x = graph.convolution(x, { from: width, to, kernel: 1, gain: 0.2 });
  const shortcut = from === to ? input : graph.convolution(input, { from, to, kernel: 1, stride });
  return graph.node('Relu', [graph.node('Add', [x, shortcut])]);
}
