import type { WireReader } from '../protobuf/wire-reader.ts';
import type { WireWriter } from '../protobuf/wire-writer.ts';

/** Which model a message means (tensorflow_serving/apis/model.proto). */
export interface ModelSpec {
  readonly name: string;
  readonly version: bigint | undefined;
  readonly versionLabel: string | undefined;
  /** Empty: the default one. */
  readonly signatureName: string;
}

export function readModelSpec(reader: WireReader): ModelSpec {
  let name = '';
  let signatureName = '';
  let version: bigint | undefined;
  let versionLabel: string | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) name = reader.string();
    else if (field === 2) {
      // of a oneof the last one holds
      version = reader.message(readInt64Value);
      versionLabel = undefined;
    } else if (field === 3) signatureName = reader.string();
    else if (field === 4) {
      versionLabel = reader.string();
      version = undefined;
    } else reader.skip();
  }
  return { name, version, versionLabel, signatureName };
}

/** google.protobuf.Int64Value, and the other wrappers of integers. */
function readInt64Value(reader: WireReader): bigint {
  let value = 0n;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) value = reader.int64();
    else reader.skip();
  }
  return value;
}

export interface AnsweredBy {
  readonly name: string;
  readonly version: number;
  readonly signatureName: string;
}

/** In answers the version is always a number, and the signature the one that ran; '' leaves it out. */
export function writeModelSpec(writer: WireWriter, { name, version, signatureName }: AnsweredBy): void {
  writer.string(1, name);
  writer.message(2, (inner) => {
    if (version !== 0) inner.int64(1, BigInt(version));
  });
  if (signatureName !== '') writer.string(3, signatureName);
}
