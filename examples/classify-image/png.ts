/**
 * PNG files in a hundred lines: 8 bits a channel, not interlaced, which is what cameras of documents and drawing
 * programs write. Source: the PNG specification, third edition, sections 5 (chunks) and 9 (filters).
 */
import { crc32, deflateSync, inflateSync } from 'node:zlib';

export interface Image {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. */
  readonly channels: number;
  /** Row by row, channels together, 0 to 255. */
  readonly pixels: Uint8Array;
}

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Colour types of the header by number of channels. */
const channelsByColourType: Readonly<Record<number, number>> = { 0: 1, 2: 3, 4: 2, 6: 4 };
const colourTypeByChannels: Readonly<Record<number, number>> = { 1: 0, 2: 4, 3: 2, 4: 6 };

export function readPng(file: Buffer): Image {
  if (!file.subarray(0, 8).equals(signature)) throw new Error('this is not a PNG file');
  const width = file.readUInt32BE(16);
  const height = file.readUInt32BE(20);
  const [bitDepth, colourType, , , interlaced] = file.subarray(24, 29);
  const channels = channelsByColourType[colourType ?? -1];
  if (bitDepth !== 8 || channels === undefined || interlaced !== 0) {
    throw new Error(
      `a PNG of 8 bits a channel, not interlaced and without palette is wanted; this one has ${bitDepth}`,
    );
  }
  const rows = inflateSync(Buffer.concat(chunksOf(file, 'IDAT')));
  return { width, height, channels, pixels: unfilter(rows, width * channels, height, channels) };
}

export function writePng({ width, height, channels, pixels }: Image): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, colourTypeByChannels[channels] ?? 0], 8);
  const rows = Buffer.alloc((width * channels + 1) * height); // each row begins with filter 0, "as it is"
  for (let y = 0; y < height; y++) {
    rows.set(pixels.subarray(y * width * channels, (y + 1) * width * channels), y * (width * channels + 1) + 1);
  }
  const chunks = [
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([signature, ...chunks]);
}

function chunksOf(file: Buffer, wanted: string): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 8; at + 12 <= file.length; ) {
    const sizeBytes = file.readUInt32BE(at);
    if (file.toString('latin1', at + 4, at + 8) === wanted) found.push(file.subarray(at + 8, at + 8 + sizeBytes));
    at += sizeBytes + 12;
  }
  return found;
}

function chunk(type: string, data: Buffer): Buffer {
  const out = Buffer.alloc(data.length + 12);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  data.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, data.length + 8)), data.length + 8);
  return out;
}

/** Undoes the row filters: each byte was stored as its difference from a guess made of bytes already known. */
function unfilter(rows: Buffer, rowBytes: number, height: number, channels: number): Uint8Array {
  const pixels = new Uint8Array(rowBytes * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (rowBytes + 1)] ?? 0;
    for (let x = 0; x < rowBytes; x++) {
      const left = x < channels ? 0 : (pixels[y * rowBytes + x - channels] ?? 0);
      const above = y === 0 ? 0 : (pixels[(y - 1) * rowBytes + x] ?? 0);
      const aboveLeft = x < channels || y === 0 ? 0 : (pixels[(y - 1) * rowBytes + x - channels] ?? 0);
      const stored = rows[y * (rowBytes + 1) + 1 + x] ?? 0;
      pixels[y * rowBytes + x] = stored + guess(filter, left, above, aboveLeft);
    }
  }
  return pixels;
}

function guess(filter: number, left: number, above: number, aboveLeft: number): number {
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  if (filter !== 4) return 0;
  const slope = left + above - aboveLeft;
  const [byLeft, byAbove, byAboveLeft] = [Math.abs(slope - left), Math.abs(slope - above), Math.abs(slope - aboveLeft)];
  if (byLeft <= byAbove && byLeft <= byAboveLeft) return left;
  return byAbove <= byAboveLeft ? above : aboveLeft;
}
