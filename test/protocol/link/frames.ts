import { FrameReader, type FrameSink } from '../../../src/protocol/link/frame-reader.ts';

/** What a reader told its sink: control frames, and body pieces joined as far as they follow one another. */
type SeenFrame =
  | {
      readonly kind: 'control';
      readonly type: number;
      readonly stream: number;
      readonly flags: number;
      payload: string;
    }
  | { readonly kind: 'body'; readonly stream: number; payload: string; end: boolean };

/** Remembers everything. Pieces of one body that come in a row are one, however the bytes were cut. */
export class SeenFrames implements FrameSink {
  readonly all: SeenFrame[] = [];

  onFrame(type: number, stream: number, flags: number, payload: Buffer): void {
    this.all.push({ kind: 'control', type, stream, flags, payload: payload.toString('latin1') });
  }

  onData(stream: number, piece: Buffer, end: boolean): void {
    const last = this.all.at(-1);
    if (last?.kind === 'body' && last.stream === stream && !last.end) {
      last.payload += piece.toString('latin1');
      last.end = end;
    } else this.all.push({ kind: 'body', stream, payload: piece.toString('latin1'), end });
  }
}

/** Reads `bytes`, cut at `cuts`. */
export function readFrames(bytes: Buffer, cuts: readonly number[] = []): SeenFrame[] {
  const seen = new SeenFrames();
  const reader = new FrameReader(seen);
  for (const chunk of cutInto(bytes, cuts)) reader.push(chunk);
  return seen.all;
}

/** The bytes in chunks of their own, as a socket hands them over. */
export function cutInto(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  let start = 0;
  return ends.map((end) => {
    const chunk = Buffer.from(bytes.subarray(start, end));
    start = end;
    return chunk;
  });
}
