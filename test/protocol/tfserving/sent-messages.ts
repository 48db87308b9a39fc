/** Messages as TensorFlow Serving's clients send them. */
import { WireWriter } from '../../../src/protocol/protobuf/wire-writer.ts';
import type { Tensor } from '../../../src/protocol/tensors/tensor.ts';
import { type Example, encodeExample } from '../../../src/protocol/tfserving/example.ts';
import { writeTensorProto } from '../../../src/protocol/tfserving/tensor-proto.ts';

export function message(write: (writer: WireWriter) => void): Buffer {
  const writer = new WireWriter();
  write(writer);
  return Buffer.concat(writer.parts);
}

export interface SentSpec {
  readonly name?: string;
  readonly version?: number;
  readonly label?: string;
  readonly signature?: string;
}

export function writeSpec(writer: WireWriter, { name = 'm', version, label, signature }: SentSpec): void {
  writer.string(1, name);
  if (version !== undefined) writer.message(2, (inner) => inner.int64(1, BigInt(version)));
  if (signature !== undefined) writer.string(3, signature);
  if (label !== undefined) writer.string(4, label);
}

export function predictRequest(
  tensors: readonly Tensor[],
  spec: SentSpec = {},
  filter: readonly string[] = [],
): Buffer {
  return message((writer) => {
    writer.message(1, (inner) => writeSpec(inner, spec));
    for (const tensor of tensors) {
      writer.message(2, (entry) => {
        entry.string(1, tensor.name);
        entry.message(2, (inner) => writeTensorProto(inner, tensor));
      });
    }
    for (const name of filter) writer.string(3, name);
  });
}

function writeInput(writer: WireWriter, examples: readonly Example[], context: Example | undefined): void {
  writer.message(2, (input) => {
    input.message(context === undefined ? 1 : 2, (list) => {
      for (const example of examples) list.bytes(1, [encodeExample(example)]);
      if (context !== undefined) list.bytes(2, [encodeExample(context)]);
    });
  });
}

/** ClassificationRequest and RegressionRequest. */
export function examplesRequest(examples: readonly Example[], spec: SentSpec = {}, context?: Example): Buffer {
  return message((writer) => {
    writer.message(1, (inner) => writeSpec(inner, spec));
    writeInput(writer, examples, context);
  });
}

export function multiInferenceRequest(
  tasks: readonly { spec: SentSpec; method: string }[],
  examples: readonly Example[],
) {
  return message((writer) => {
    for (const { spec, method } of tasks) {
      writer.message(1, (task) => {
        task.message(1, (inner) => writeSpec(inner, spec));
        task.string(2, method);
      });
    }
    writeInput(writer, examples, undefined);
  });
}

export const floats = (...values: number[]) => ({ kind: 'float', values }) as const;
export const strings = (...values: string[]) =>
  ({ kind: 'bytes', values: values.map((value) => Buffer.from(value)) }) as const;
