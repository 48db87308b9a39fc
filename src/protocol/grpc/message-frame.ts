/** Before each message: a flag for compression, and its length. */
export const prefixBytes = 5;

export interface MessagePrefix {
  readonly isCompressed: boolean;
  readonly messageBytes: number;
}

/** Undefined where the first byte is no flag. */
export function readMessagePrefix(bytes: Buffer): MessagePrefix | undefined {
  const flag = bytes[0]!;
  return flag > 1 ? undefined : { isCompressed: flag === 1, messageBytes: bytes.readUInt32BE(1) };
}

export function messagePrefix(messageBytes: number): Buffer {
  const bytes = Buffer.alloc(prefixBytes);
  bytes.writeUInt32BE(messageBytes, 1);
  return bytes;
}
