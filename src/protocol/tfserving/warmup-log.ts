import { BodyKind } from '../link/infer-head.ts';
import { WireReader } from '../protobuf/wire-reader.ts';

/** A request that was recorded for warming up, in the form in which clients send it. */
interface WarmupRequest {
  readonly kind: BodyKind;
  readonly body: Uint8Array;
}

/** Lengths and checksums of tensorflow/core/lib/io/record_writer.h: 8 bytes, 4 of them, the record, 4 of it. */
const headBytes = 12;
const tailBytes = 4;

/**
 * `assets.extra/tf_serving_warmup_requests`: a TFRecord file of tensorflow.serving.PredictionLog. Requests of sessions and
 * streams, which no client can send here, are left out. Throws RangeError where the file is damaged.
 */
export function readWarmupLog(bytes: Buffer): WarmupRequest[] {
  const requests: WarmupRequest[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + headBytes > bytes.length) throw new RangeError(`a record begins at byte ${at} and is cut`);
    const length = Number(bytes.readBigUInt64LE(at));
    const from = at + headBytes;
    if (length > bytes.length - from - tailBytes) throw new RangeError(`the record at byte ${at} goes beyond the file`);
    const record = bytes.subarray(from, from + length);
    check(bytes.subarray(at, at + 8), bytes.readUInt32LE(at + 8), at);
    check(record, bytes.readUInt32LE(from + length), at);
    const request = readPredictionLog(record);
    if (request !== undefined) requests.push(request);
    at = from + length + tailBytes;
  }
  return requests;
}

/** By the field of PredictionLog's `log_type`. */
const kinds: Readonly<Record<number, BodyKind>> = {
  2: BodyKind.tfClassify,
  3: BodyKind.tfRegress,
  4: BodyKind.tfMultiInference,
  6: BodyKind.tfPredict,
};

function readPredictionLog(record: Uint8Array): WarmupRequest | undefined {
  const reader = new WireReader([record]);
  let found: WarmupRequest | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    const kind = kinds[field];
    if (kind === undefined) reader.skip();
    else found = { kind, body: reader.message(requestOf) };
  }
  return found;
}

/** ClassifyLog and its like: the request is their first field. */
function requestOf(reader: WireReader): Uint8Array {
  let body: Uint8Array = new Uint8Array(0);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) body = reader.bytes();
    else reader.skip();
  }
  return body;
}

function check(bytes: Uint8Array, expected: number, at: number): void {
  if (maskedCrc(bytes) !== expected) throw new RangeError(`the record at byte ${at} does not fit its checksum`);
}

/** The checksum that TFRecord files carry: CRC-32C, turned by 15 bits and shifted by a constant. */
export function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ crcTable[(crc ^ byte) & 0xff]!;
  const whole = ~crc >>> 0;
  return (((whole >>> 15) | (whole << 17)) + 0xa282_ead8) >>> 0;
}

/** Of the polynomial of Castagnoli, bits reversed. */
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f6_3b78;
  return crc;
});
