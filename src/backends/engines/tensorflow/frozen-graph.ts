import { SkeinError } from '../../../protocol/errors.ts';
import { defaultSignatureName } from '../../../protocol/tensors/named-signature.ts';
import type { TensorSpec } from '../../../protocol/tensors/tensor.ts';
import { datatypeOf } from './data-types.ts';
import type { Graph, GraphNode } from './graph-nodes.ts';
import { graphPlace, placeDataType, placeShape } from './graph-place.ts';
import type { GraphSignature } from './saved-model.ts';
import type { Pointer, TensorflowApi } from './tensorflow-api.ts';

/**
 * A frozen graph says nothing of how it is called: its placeholders are the inputs, and what nobody uses are the outputs,
 * or what `wanted` names (operations, or `operation:output`). Data types and shapes of outputs are TensorFlow's own.
 */
export function frozenSignature(
  { nodes }: Graph,
  wanted: readonly string[] | undefined,
  api: TensorflowApi,
  graph: Pointer,
): GraphSignature {
  const inputs = nodes.filter(({ op }) => op === 'Placeholder');
  const names = wanted === undefined || wanted.length === 0 ? unusedNodes(nodes) : wanted;
  const outputs = names.flatMap((name): TensorSpec[] => {
    const place = graphPlace(api, graph, name);
    const datatype = place === undefined ? undefined : datatypeOf(placeDataType(api, place));
    if (place === undefined || datatype === undefined) return [];
    const shape = placeShape(api, graph, place);
    return [shape === undefined ? { name, datatype, shape: [-1], anyRank: true } : { name, datatype, shape }];
  });
  const ownNames = (specs: readonly TensorSpec[]) => new Map(specs.map(({ name }) => [name, name]));
  const inputSpecs = inputs.map(inputSpec);
  return {
    signature: { name: defaultSignatureName, method: 'predict', inputs: inputSpecs, outputs },
    inputs: ownNames(inputSpecs),
    outputs: ownNames(outputs),
  };
}

function inputSpec({ name, dtype, shape }: GraphNode): TensorSpec {
  const datatype = datatypeOf(dtype);
  if (datatype === undefined) {
    const facts = { side: 'input', name, model: 'the frozen graph', type: `of TensorFlow's data type ${dtype}` };
    throw new SkeinError('io_unsupported', facts);
  }
  return shape === undefined ? { name, datatype, shape: [-1], anyRank: true } : { name, datatype, shape };
}

/** Operations with an output that no other takes, but for those that only order or initialise. */
function unusedNodes(nodes: readonly GraphNode[]): string[] {
  const used = new Set<string>();
  for (const { inputs } of nodes) for (const input of inputs) used.add(input.replace(/^\^|:.*$/g, ''));
  const isNone = /^(NoOp|Const|Assert|Placeholder|PlaceholderWithDefault)$/;
  return nodes.filter(({ name, op }) => !used.has(name) && !isNone.test(op)).map(({ name }) => name);
}
