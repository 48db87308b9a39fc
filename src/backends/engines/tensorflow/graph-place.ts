import type { GraphPlace, Pointer, TensorflowApi } from './tensorflow-api.ts';

/** Where a tensor (`operation` or `operation:output`) is in a graph; undefined where the graph does not have it. */
export function graphPlace(api: TensorflowApi, graph: Pointer, tensor: string): GraphPlace | undefined {
  const colon = tensor.lastIndexOf(':');
  const index = colon < 0 ? 0 : Number(tensor.slice(colon + 1));
  const oper = api.call(
    'TF_GraphOperationByName',
    graph,
    colon < 0 ? tensor : tensor.slice(0, colon),
  ) as Pointer | null;
  if (oper === null || !Number.isInteger(index) || index >= api.number('TF_OperationNumOutputs', oper))
    return undefined;
  return { oper, index };
}

/** DataType of its tensors. */
export function placeDataType(api: TensorflowApi, place: GraphPlace): number {
  return api.number('TF_OperationOutputType', place);
}

/** Shape that TensorFlow infers; undefined where even the rank is unknown. */
export function placeShape(api: TensorflowApi, graph: Pointer, place: GraphPlace): number[] | undefined {
  const rank = Number(api.try('TF_GraphGetTensorNumDims', graph, place));
  if (rank < 0) return undefined;
  const dimensions = new BigInt64Array(Math.max(1, rank));
  api.try('TF_GraphGetTensorShape', graph, place, dimensions, rank);
  return Array.from(dimensions.subarray(0, rank), Number);
}
