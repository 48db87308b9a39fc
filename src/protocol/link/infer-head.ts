import { Buffer } from 'node:buffer';
import { maxSignatureNameBytes } from '../tensors/named-signature.ts';

/** What a router says of a request before its body, and a backend of an answer before its. Fixed fields, little-endian. */

/** Which dialect the body is in. The backend decodes; the router has only read names. */
export const BodyKind = {
  v2: 0,
  /** TensorFlow Serving's JSON. */
  v1Predict: 1,
  v1Classify: 2,
  v1Regress: 3,
  /** TensorFlow Serving's protobuf messages, without gRPC's prefix. */
  tfPredict: 4,
  tfClassify: 5,
  tfRegress: 6,
  tfMultiInference: 7,
} as const;
export type BodyKind = (typeof BodyKind)[keyof typeof BodyKind];

/** What clients speak. */
export type BodyDialect = keyof typeof BodyKind;

const absent = 0xffff_ffff;

export interface InferHead {
  /** The copy, by the number that its backend gave it when it was loaded. */
  readonly copy: number;
  readonly kind: BodyKind;
  /** Length of the JSON part of a V2 binary body; undefined where the body is all JSON. */
  readonly headerLength: number | undefined;
  /** Time that is left for the answer; 0 is none. */
  readonly timeoutMs: number;
  /** Undefined where the client sends chunks of unknown total. */
  readonly bodyBytes: number | undefined;
  /** W3C trace context, or empty. */
  readonly traceparent: string;
  /** Where the dialect names the signature outside the body; empty: the body says, or the model's default is meant. */
  readonly signature: string;
}

const inferFixedBytes = 24;

/** A traceparent takes 55 characters; whatever else came is not worth the frame it would break. */
const maxTraceLength = 512;

/** Throws RangeError on the name of a signature that is longer than `maxSignatureNameBytes`. */
export function encodeInferHead(head: InferHead): Buffer {
  const trace = head.traceparent.length > maxTraceLength ? '' : head.traceparent;
  const signatureBytes = head.signature === '' ? 0 : Buffer.byteLength(head.signature);
  if (signatureBytes > maxSignatureNameBytes) throw new RangeError(`a signature's name of ${signatureBytes} bytes`);
  const bytes = Buffer.allocUnsafe(inferFixedBytes + signatureBytes + trace.length);
  bytes.writeUInt32LE(head.copy, 0);
  bytes.writeUInt32LE(head.kind, 4);
  bytes.writeUInt32LE(head.headerLength ?? absent, 8);
  bytes.writeUInt32LE(Math.min(head.timeoutMs, absent - 1), 12);
  bytes.writeUInt32LE(Math.min(head.bodyBytes ?? absent, absent), 16);
  bytes.writeUInt32LE(signatureBytes, 20);
  if (signatureBytes > 0) bytes.write(head.signature, inferFixedBytes);
  if (trace !== '') bytes.write(trace, inferFixedBytes + signatureBytes, 'latin1');
  return bytes;
}

/** Throws RangeError on a payload that is too short. */
export function decodeInferHead(bytes: Buffer): InferHead {
  const headerLength = bytes.readUInt32LE(8);
  const bodyBytes = bytes.readUInt32LE(16);
  const signatureEnd = inferFixedBytes + bytes.readUInt32LE(20);
  if (signatureEnd > bytes.length) throw new RangeError("a signature's name that is longer than its frame");
  return {
    copy: bytes.readUInt32LE(0),
    kind: bytes.readUInt32LE(4) as BodyKind,
    headerLength: headerLength === absent ? undefined : headerLength,
    timeoutMs: bytes.readUInt32LE(12),
    bodyBytes: bodyBytes === absent ? undefined : bodyBytes,
    signature: signatureEnd === inferFixedBytes ? '' : bytes.toString('utf8', inferFixedBytes, signatureEnd),
    traceparent: bytes.length === signatureEnd ? '' : bytes.toString('latin1', signatureEnd),
  };
}

export interface ReplyHead {
  /** Length of the JSON part; undefined where the answer is all JSON. */
  readonly headerLength: number | undefined;
  readonly bodyBytes: number;
  /** Load of the copy as it answered: requests in it, and its smoothed time in the backend. */
  readonly inFlight: number;
  readonly latencyUs: number;
}

const replyFixedBytes = 16;

/** Largest body of an answer: its length must fit the head. */
export const maxReplyBytes = absent - 1;

/** Throws RangeError on a body larger than `maxReplyBytes`. */
export function encodeReplyHead(head: ReplyHead): Buffer {
  const bytes = Buffer.allocUnsafe(replyFixedBytes);
  bytes.writeUInt32LE(head.headerLength ?? absent, 0);
  bytes.writeUInt32LE(head.bodyBytes, 4);
  bytes.writeUInt32LE(Math.min(head.inFlight, absent), 8);
  bytes.writeUInt32LE(Math.min(Math.round(head.latencyUs), absent), 12);
  return bytes;
}

/** Throws RangeError on a payload that is too short. */
export function decodeReplyHead(bytes: Buffer): ReplyHead {
  const headerLength = bytes.readUInt32LE(0);
  return {
    headerLength: headerLength === absent ? undefined : headerLength,
    bodyBytes: bytes.readUInt32LE(4),
    inFlight: bytes.readUInt32LE(8),
    latencyUs: bytes.readUInt32LE(12),
  };
}
