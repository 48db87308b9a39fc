import type { GraphBuilder } from './graph-builder.ts';
import { ProtoMessage } from './wire.ts';

interface ModelOptions {
  /** Version of ONNX's own operator set; 17 is ONNX 1.12 (2022), which every runtime in use reads. */
  readonly opset?: number;
  /** Version of the file format; 8 goes with opset 17. */
  readonly irVersion?: number;
  /** Other operator sets that the nodes use, with their versions. */
  readonly domains?: Readonly<Record<string, number>>;
}

/** The bytes of `model.onnx`. */
export function encodeModel(
  graph: GraphBuilder,
  { opset = 17, irVersion = 8, domains = {} }: ModelOptions = {},
): Buffer {
  const message = new ProtoMessage().int(1, irVersion).string(2, 'skein').message(7, graph.encodeGraph());
  for (const [domain, version] of Object.entries({ '': opset, ...domains })) {
    message.message(8, new ProtoMessage().string(1, domain).int(2, version));
  }
  return message.encode();
}
