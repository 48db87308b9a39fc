import { WireReader } from '../protobuf/wire-reader.ts';
import { WireWriter } from '../protobuf/wire-writer.ts';
import type { NamedSignature } from '../tensors/named-signature.ts';
import type { TensorSpec } from '../tensors/tensor.ts';
import type { DescribedModel } from '../v1/model-metadata.ts';
import { dataTypeOf } from './data-type.ts';
import { writeModelSpec } from './model-spec.ts';
import { writeShape } from './tensor-proto.ts';

/** The `metadata_field`s of a GetModelMetadataRequest. */
export function readMetadataFields(message: Uint8Array): string[] {
  const reader = new WireReader([message]);
  const fields: string[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 2) fields.push(reader.string());
    else reader.skip();
  }
  return fields;
}

const typeUrl = 'type.googleapis.com/tensorflow.serving.SignatureDefMap';

/** GetModelMetadataResponse with the one field there is, `signature_def`. */
export function encodeModelMetadata({ name, version, signatures }: DescribedModel): WireWriter {
  const writer = new WireWriter();
  writer.message(1, (spec) => writeModelSpec(spec, { name, version, signatureName: '' }));
  writer.message(2, (entry) => {
    entry.string(1, 'signature_def');
    entry.message(2, (packed) => {
      packed.string(1, typeUrl);
      packed.message(2, (map) => writeSignatures(map, signatures));
    });
  });
  return writer;
}

function writeSignatures(writer: WireWriter, signatures: readonly NamedSignature[]): void {
  for (const signature of signatures) {
    writer.message(1, (entry) => {
      entry.string(1, signature.name);
      entry.message(2, (definition) => {
        writeTensors(definition, 1, signature.inputs);
        writeTensors(definition, 2, signature.outputs);
        definition.string(3, `tensorflow/serving/${signature.method}`);
      });
    });
  }
}

function writeTensors(writer: WireWriter, field: number, specs: readonly TensorSpec[]): void {
  for (const { name, datatype, shape, anyRank, graphName = name } of specs) {
    writer.message(field, (entry) => {
      entry.string(1, name);
      entry.message(2, (info) => {
        info.string(1, graphName);
        info.int32(2, dataTypeOf(datatype).number);
        info.message(3, (inner) => {
          if (anyRank === true) inner.bool(3, true);
          else writeShape(inner, shape);
        });
      });
    });
  }
}
