import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProtoMessage } from '../onnx-writer/wire.ts';
import { type DataType, dataTypes, encodeShape, type GraphDefBuilder } from './graph-def.ts';

/** A tensor of a signature: `tensor` names it in the graph, `Identity_3:0`. */
interface SignatureTensor {
  readonly tensor: string;
  readonly type: DataType;
  readonly shape: readonly number[] | 'unknown';
}

export interface SignatureDef {
  readonly method?: 'predict' | 'classify' | 'regress';
  readonly inputs: Readonly<Record<string, SignatureTensor>>;
  readonly outputs: Readonly<Record<string, SignatureTensor>>;
}

interface SavedModelOptions {
  /** `serve` where left out. */
  readonly tags?: readonly string[];
}

/** The bytes of a saved_model.pb without variables: weights are constants of its graph. */
export function encodeSavedModel(
  graph: GraphDefBuilder,
  signatures: Readonly<Record<string, SignatureDef>>,
  { tags = ['serve'] }: SavedModelOptions = {},
): Buffer {
  const info = new ProtoMessage();
  for (const tag of tags) info.string(4, tag);
  info.string(5, '2.9.0');
  const metaGraph = new ProtoMessage().message(1, info).message(2, graph.encode());
  for (const [name, signature] of Object.entries(signatures)) {
    metaGraph.message(5, new ProtoMessage().string(1, name).message(2, encodeSignature(signature)));
  }
  return new ProtoMessage().int(1, 1).message(2, metaGraph).encode();
}

/** Writes it into a directory, which it makes. */
export function writeSavedModel(directory: string, ...model: Parameters<typeof encodeSavedModel>): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'saved_model.pb'), encodeSavedModel(...model));
}

function encodeSignature({ method = 'predict', inputs, outputs }: SignatureDef): ProtoMessage {
  const message = new ProtoMessage();
  const sides = [
    [1, inputs],
    [2, outputs],
  ] as const;
  for (const [field, tensors] of sides) {
    for (const [name, { tensor, type, shape }] of Object.entries(tensors)) {
      const info = new ProtoMessage().string(1, tensor).int(2, dataTypes[type]).message(3, encodeShape(shape));
      message.message(field, new ProtoMessage().string(1, name).message(2, info));
    }
  }
  return message.string(3, `tensorflow/serving/${method}`);
}
