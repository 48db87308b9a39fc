/**
 * The frame: what every byte on a link belongs to.
 *
 *   0        4        8      9       10       12
 *   | length | stream | type | flags | zero   | payload: `length` bytes
 *
 * All integers little-endian. Streams are numbered by the router, from 1; stream 0 is the connection itself. A frame
 * that breaks a rule ends the connection: there is no way to find the next frame in a stream one cannot trust.
 */

export const headerBytes = 12;

export const FrameType = {
  /** First frame of either side, stream 0. JSON: Hello. */
  hello: 1,
  /** Second frame of either side where a token is asked for, stream 0. JSON: Proof. */
  proof: 2,
  /** Opens a stream. InferHead. Its body follows as data. */
  infer: 3,
  /** A piece of a body, either way. The last one carries `end`. */
  data: 4,
  /** ReplyHead. The answer's body follows as data. */
  reply: 5,
  /** Ends a stream with an error. JSON: LinkError. */
  error: 6,
  /** The router no longer wants the answer. Empty. */
  cancel: 7,
  /** Four bytes: the receiver of a stream's body may be sent so many more. */
  credit: 8,
  /** Opens a stream. JSON: Call. */
  call: 9,
  /** Ends a call's stream. JSON. */
  result: 10,
  /** Stream 0, backend to router. JSON: State. */
  state: 11,
  ping: 12,
  pong: 13,
  /** Stream 0. JSON: Goodbye. The sender closes when its streams have ended, or at once after a broken rule. */
  goodbye: 14,
  /** In place of data: where the whole body lies in memory that the backend reads, too. Offset and length; see Call.share. */
  loan: 15,
  /** Backend to router: it reads the body of a cancelled stream no more. Empty. */
  returned: 16,
} as const;

export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** Set on the last data frame of a body, and on infer and reply frames without one. */
export const flagEnd = 1;

/** Bodies travel in pieces of at most this size, so that a large tensor does not hold up a small one. */
export const maxDataBytes = 64 * 1024;

/** Bound on every other payload: large enough for the state of some ten thousand copies. */
const maxControlBytes = 16 * 1024 * 1024;
const maxHeadBytes = 4 * 1024;

/** Largest legal payload by type; a type that is not listed is not legal at all. */
export const payloadLimit: Readonly<Record<number, number>> = {
  [FrameType.hello]: maxHeadBytes,
  [FrameType.proof]: maxHeadBytes,
  [FrameType.infer]: maxHeadBytes,
  [FrameType.data]: maxDataBytes,
  [FrameType.reply]: maxHeadBytes,
  [FrameType.error]: maxDataBytes,
  [FrameType.cancel]: 0,
  [FrameType.credit]: 4,
  [FrameType.call]: maxControlBytes,
  [FrameType.result]: maxControlBytes,
  [FrameType.state]: maxControlBytes,
  [FrameType.ping]: 0,
  [FrameType.pong]: 0,
  [FrameType.goodbye]: maxHeadBytes,
  [FrameType.loan]: 8,
  [FrameType.returned]: 0,
};

/** Writes a header at `at` in `target`, which must have room. */
export function writeHeader(
  target: Buffer,
  at: number,
  length: number,
  stream: number,
  type: FrameType,
  flags: number,
): void {
  target.writeUInt32LE(length, at);
  target.writeUInt32LE(stream, at + 4);
  target.writeUInt32LE(type | (flags << 8), at + 8);
}

/** A whole frame in one buffer. For payloads that exist already and are large, write header and payload apart. */
export function frame(type: FrameType, stream: number, payload: Uint8Array | undefined, flags = 0): Buffer {
  const length = payload === undefined ? 0 : payload.byteLength;
  const bytes = Buffer.allocUnsafe(headerBytes + length);
  writeHeader(bytes, 0, length, stream, type, flags);
  if (payload !== undefined) bytes.set(payload, headerBytes);
  return bytes;
}

export function jsonFrame(type: FrameType, stream: number, value: unknown): Buffer {
  return frame(type, stream, Buffer.from(JSON.stringify(value)));
}

/** A place in shared memory, as a loan names it. */
export function encodeLoan(offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeUInt32LE(offset, 0);
  bytes.writeUInt32LE(length, 4);
  return bytes;
}

/** Throws RangeError on a payload that is too short. */
export function decodeLoan(bytes: Buffer): { readonly offset: number; readonly length: number } {
  return { offset: bytes.readUInt32LE(0), length: bytes.readUInt32LE(4) };
}
