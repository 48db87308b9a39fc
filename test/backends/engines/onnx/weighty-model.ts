import { GraphBuilder } from '../../../../examples/models/onnx-writer/graph-builder.ts';
import { encodeModel } from '../../../../examples/models/onnx-writer/model.ts';
import { WeightStream } from '../../../../examples/models/weights.ts';

/** x FP32 [n,1024] to y of the same shape, through 4 MB of weights; `seed` makes models that share no bytes. */
export function weightyModel(seed = 1): Buffer {
  const graph = new GraphBuilder('weighty');
  const x = graph.input('x', 'float', ['n', 1_024]);
  const factor = graph.constant(new WeightStream(seed).uniform([1_024, 1_024], 0.05));
  graph.node('Relu', [graph.node('MatMul', [x, factor])], {}, { outputs: ['y'] });
  graph.output('y', 'float', ['n', 1_024]);
  return encodeModel(graph);
}
