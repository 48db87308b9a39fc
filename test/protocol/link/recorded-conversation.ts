/**
 * What a router and a backend of an earlier version said to each other, byte for byte: hello, the first state, a load, a
 * request and its answer, calls, a request for a copy that is not there, an unload.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { headerBytes } from '../../../src/protocol/link/frame.ts';

/** The commit is in the name of the file. */
const file = join(import.meta.dirname, 'recorded-b03a5e4.json');

export interface RecordedFrame {
  readonly stream: number;
  readonly type: number;
  readonly flags: number;
  readonly payload: Buffer;
  /** With its header. */
  readonly bytes: Buffer;
}

export function recordedConversation(): Readonly<Record<'router' | 'backend', readonly RecordedFrame[]>> {
  const { router, backend } = JSON.parse(readFileSync(file, 'utf8')) as Record<'router' | 'backend', string>;
  return { router: wholeFrames(Buffer.from(router, 'base64')), backend: wholeFrames(Buffer.from(backend, 'base64')) };
}

/** The frames that have come whole. */
export function wholeFrames(bytes: Buffer): RecordedFrame[] {
  const frames: RecordedFrame[] = [];
  for (let at = 0; at + headerBytes <= bytes.length; ) {
    const end = at + headerBytes + bytes.readUInt32LE(at);
    if (end > bytes.length) break;
    frames.push({
      stream: bytes.readUInt32LE(at + 4),
      type: bytes[at + 8]!,
      flags: bytes[at + 9]!,
      payload: bytes.subarray(at + headerBytes, end),
      bytes: bytes.subarray(at, end),
    });
    at = end;
  }
  return frames;
}
