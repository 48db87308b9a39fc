import { messagePrefix } from '../../protocol/grpc/message-frame.ts';
import { WireWriter } from '../../protocol/protobuf/wire-writer.ts';
import type { Datatype } from '../../protocol/tensors/datatype.ts';
import { dataTypeOf } from '../../protocol/tfserving/data-type.ts';
import { writeShape } from '../../protocol/tfserving/tensor-proto.ts';
import type { WireRequest } from './lane.ts';

interface PredictInput {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** As V2 has them in binary bodies. */
  readonly bytes: Buffer;
  readonly values: readonly (number | string)[];
}

/** The inputs of a tensorflow.serving.PredictRequest, with tensors as `tensor_content`, the way NumPy arrays are sent. */
export function predictInputs(inputs: readonly PredictInput[]): Buffer {
  const writer = new WireWriter();
  for (const { name, datatype, shape, bytes, values } of inputs) {
    writer.message(2, (entry) => {
      entry.string(1, name);
      entry.message(2, (tensor) => {
        tensor.int32(1, dataTypeOf(datatype).number);
        tensor.message(2, (inner) => writeShape(inner, shape));
        if (datatype !== 'BYTES') tensor.bytes(4, [bytes]);
        else for (const value of values) tensor.bytes(8, [Buffer.from(String(value))]);
      });
    });
  }
  return Buffer.concat(writer.parts);
}

/** The whole message of a model, framed: fields may come in any order, so the inputs of all models are the same bytes. */
export function predictRequest(model: string, inputs: Buffer): WireRequest {
  const writer = new WireWriter();
  writer.message(1, (spec) => spec.string(1, model));
  const spec = Buffer.concat(writer.parts);
  return [Buffer.concat([messagePrefix(spec.byteLength + inputs.byteLength), spec]), inputs];
}
