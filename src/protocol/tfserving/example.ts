import { WireReader, WireType } from '../protobuf/wire-reader.ts';
import { WireWriter } from '../protobuf/wire-writer.ts';

/** tensorflow.Example: features by name, each a list of one type (tensorflow/core/example/feature.proto). */
export type Example = ReadonlyMap<string, Feature>;

export type Feature =
  | { readonly kind: 'bytes'; readonly values: readonly Uint8Array[] }
  | { readonly kind: 'float'; readonly values: readonly number[] }
  | { readonly kind: 'int64'; readonly values: readonly bigint[] }
  /** No value was given, and so no type. */
  | { readonly kind: 'none'; readonly values: readonly never[] };

const noFeature: Feature = { kind: 'none', values: [] };

/** An example that stands in several pieces one after the other is merged: of features with the same name the last holds. */
export function decodeExample(pieces: readonly Uint8Array[]): Example {
  const reader = new WireReader(pieces);
  const features = new Map<string, Feature>();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) reader.message((inner) => readFeatures(inner, features));
    else reader.skip();
  }
  return features;
}

function readFeatures(reader: WireReader, features: Map<string, Feature>): void {
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) {
      const [name, feature] = reader.message(readEntry);
      features.set(name, feature);
    } else reader.skip();
  }
}

function readEntry(reader: WireReader): [name: string, feature: Feature] {
  let name = '';
  let feature = noFeature;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) name = reader.string();
    else if (field === 2) feature = reader.message(readFeature);
    else reader.skip();
  }
  return [name, feature];
}

function readFeature(reader: WireReader): Feature {
  let feature = noFeature;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) feature = { kind: 'bytes', values: reader.message((inner) => readBytesList(inner)) };
    else if (field === 2) feature = { kind: 'float', values: reader.message((inner) => readFloatList(inner)) };
    else if (field === 3) feature = { kind: 'int64', values: reader.message((inner) => readInt64List(inner)) };
    else reader.skip();
  }
  return feature;
}

function readBytesList(reader: WireReader): Uint8Array[] {
  const values: Uint8Array[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) values.push(reader.bytes());
    else reader.skip();
  }
  return values;
}

function readFloatList(reader: WireReader): number[] {
  const values: number[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== 1) reader.skip();
    else if (reader.wireType !== WireType.bytes) values.push(reader.float());
    else {
      const bytes = Uint8Array.from(reader.bytes());
      for (const value of new Float32Array(bytes.buffer, 0, bytes.byteLength >> 2)) values.push(value);
    }
  }
  return values;
}

function readInt64List(reader: WireReader): bigint[] {
  const values: bigint[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) reader.varints(() => values.push(reader.int64()));
    else reader.skip();
  }
  return values;
}

export function encodeExample(example: Example): Uint8Array {
  const writer = new WireWriter();
  writer.message(1, (features) => {
    for (const [name, feature] of example) {
      features.message(1, (entry) => {
        entry.string(1, name);
        entry.message(2, (inner) => writeFeature(inner, feature));
      });
    }
  });
  return Buffer.concat(writer.parts, writer.byteLength);
}

function writeFeature(writer: WireWriter, { kind, values }: Feature): void {
  switch (kind) {
    case 'bytes':
      writer.message(1, (list) => {
        for (const value of values) list.bytes(1, [value]);
      });
      return;
    case 'float':
      writer.message(2, (list) => list.bytes(1, [new Uint8Array(Float32Array.from(values).buffer)]));
      return;
    case 'int64':
      writer.message(3, (list) => list.packed(1, values.length, (i) => values[i]!));
      return;
    case 'none':
      return;
    default:
      kind satisfies never;
  }
}
