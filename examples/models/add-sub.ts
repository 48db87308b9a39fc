import type { ElementType } from './onnx-writer/element-type.ts';
import { GraphBuilder } from './onnx-writer/graph-builder.ts';

/**
 * INPUT0 and INPUT1 [N,16] to their sum OUTPUT0 and difference OUTPUT1: the model of Triton's quick start, with its
 * names, so that its clients' examples run unchanged.
 */
export function addSub(element: ElementType = 'int32'): GraphBuilder {
  const graph = new GraphBuilder('add_sub');
  const inputs = ['INPUT0', 'INPUT1'].map((name) => graph.input(name, element, ['N', 16]));
  graph.node('Add', inputs, {}, { outputs: ['OUTPUT0'] });
  graph.node('Sub', inputs, {}, { outputs: ['OUTPUT1'] });
  graph.output('OUTPUT0', element, ['N', 16]);
  graph.output('OUTPUT1', element, ['N', 16]);
  return graph;
}
