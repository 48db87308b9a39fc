import { WireReader } from '../protobuf/wire-reader.ts';
import { WireWriter } from '../protobuf/wire-writer.ts';
import { type VersionStatus, versionStates } from '../v1/model-status.ts';
import { type ModelSpec, readModelSpec } from './model-spec.ts';

/** GetModelStatusRequest, and the beginning of GetModelMetadataRequest. */
export function decodeSpecRequest(message: Uint8Array): ModelSpec | undefined {
  const reader = new WireReader([message]);
  let spec: ModelSpec | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) spec = reader.message(readModelSpec);
    else reader.skip();
  }
  return spec;
}

/** tensorflow.error.Code of what cannot be served. */
const unknownCode = 2;

/** GetModelStatusResponse. */
export function encodeModelStatus(versions: readonly VersionStatus[]): WireWriter {
  const writer = new WireWriter();
  for (const { version, state, fault } of versions) {
    writer.message(1, (one) => {
      if (version !== 0) one.int64(1, BigInt(version));
      one.int32(2, versionStates[state]);
      one.message(3, (status) => {
        if (fault === undefined) return;
        status.int32(1, unknownCode);
        status.string(2, fault);
      });
    });
  }
  return writer;
}
