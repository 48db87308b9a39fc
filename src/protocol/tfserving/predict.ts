import { SkeinError } from '../errors.ts';
import { WireReader } from '../protobuf/wire-reader.ts';
import { WireWriter } from '../protobuf/wire-writer.ts';
import type { Tensor } from '../tensors/tensor.ts';
import type { EncodedBody } from '../v2/infer-reply.ts';
import { type AnsweredBy, readModelSpec, writeModelSpec } from './model-spec.ts';
import { readTensorProto, writeTensorProto } from './tensor-proto.ts';

/** tensorflow.serving.PredictRequest, as far as it is acted on. */
interface PredictRequest {
  readonly signatureName: string;
  readonly tensors: readonly Tensor[];
  /** Names of the outputs that are wanted; none: all of them. */
  readonly outputFilter: readonly string[];
}

export function decodePredictRequest(body: readonly Uint8Array[]): PredictRequest {
  const reader = new WireReader(body);
  let signatureName = '';
  const tensors = new Map<string, Tensor>();
  const outputFilter: string[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) signatureName = reader.message(readModelSpec).signatureName;
    else if (field === 2) {
      const tensor = reader.message(readInput);
      tensors.set(tensor.name, tensor); // of entries with the same key the last one holds
    } else if (field === 3) outputFilter.push(reader.string());
    else if (field === 5) throw new SkeinError('endpoint_unsupported', streamed);
    else reader.skip();
  }
  return { signatureName, tensors: [...tensors.values()], outputFilter };
}

const streamed = { endpoint: 'predict_streamed_options', instead: 'send each request whole' };

/** An entry of a map from name to TensorProto; the key may stand behind the value. */
function readInput(reader: WireReader): Tensor {
  let name = '';
  let tensor: Tensor | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) name = reader.string();
    else if (field === 2) tensor = reader.message((inner) => readTensorProto(inner, name));
    else reader.skip();
  }
  return { ...(tensor ?? readTensorProto(new WireReader([]), name)), name };
}

export function encodePredictResponse(outputs: readonly Tensor[], by: AnsweredBy): EncodedBody {
  const writer = new WireWriter();
  for (const tensor of outputs) {
    writer.message(1, (entry) => {
      entry.string(1, tensor.name);
      entry.message(2, (inner) => writeTensorProto(inner, tensor));
    });
  }
  writer.message(2, (inner) => writeModelSpec(inner, by));
  return encoded(writer);
}

export function encoded(writer: WireWriter): EncodedBody {
  const { parts } = writer;
  return { headerLength: undefined, parts, byteLength: writer.byteLength };
}
