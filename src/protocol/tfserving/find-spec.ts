import { SkeinError } from '../errors.ts';
import { WireReader } from '../protobuf/wire-reader.ts';
import { type ModelSpec, readModelSpec } from './model-spec.ts';

/** Where a request has its ModelSpec: as its own field, or in the first of its tasks. */
export type SpecPlace = 'request' | 'first task';

/**
 * The ModelSpec of a request of which the beginning has come: undefined where more must come before it can be told. Every
 * client writes it first; where it does not stand there, the whole message has to come. Everything else is stepped over.
 */
export function findModelSpec(
  pieces: readonly Uint8Array[],
  isWhole: boolean,
  place: SpecPlace,
): ModelSpec | undefined {
  if (isWhole) {
    const spec = specOf(new WireReader(pieces), place);
    if (spec === undefined) throw new SkeinError('model_spec_missing');
    return spec;
  }
  const first = beginning(pieces);
  return first === undefined ? undefined : specOf(new WireReader([first]), place);
}

function specOf(reader: WireReader, place: SpecPlace): ModelSpec | undefined {
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== 1) reader.skip();
    else return place === 'request' ? reader.message(readModelSpec) : reader.message((task) => taskSpec(task));
  }
  return undefined;
}

function taskSpec(reader: WireReader): ModelSpec | undefined {
  let spec: ModelSpec | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) spec = reader.message(readModelSpec);
    else reader.skip();
  }
  return spec;
}

/** A ModelSpec is a few names: one of more bytes is not looked for before the message is whole. */
const mostSpecBytes = 16 * 1024;

/** Tag, length and the ModelSpec itself: where it is not within so many bytes, only the whole message tells it. */
export const mostBeginningBytes = mostSpecBytes + 4;

/** The first field of a message, where it is number 1 and all there. */
function beginning(pieces: readonly Uint8Array[]): Uint8Array | undefined {
  const bytes = startOf(pieces);
  // tag 1 of wire type 2, then a length of one to three bytes
  if (bytes[0] !== 0x0a) return undefined;
  let length = 0;
  for (let at = 1; at <= 3; at++) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 2 ** (7 * (at - 1));
    if (byte >= 0x80) continue;
    const end = at + 1 + length;
    return length <= mostSpecBytes && bytes.length >= end ? bytes.subarray(0, end) : undefined;
  }
  return undefined;
}

/** Of many pieces only so many are joined as such a field can lie in. */
function startOf(pieces: readonly Uint8Array[]): Uint8Array {
  const first = pieces[0] ?? new Uint8Array(0);
  if (pieces.length === 1 || first[0] !== 0x0a || first.byteLength > mostBeginningBytes) return first;
  let bytes = 0;
  const count = pieces.findIndex((piece) => {
    bytes += piece.byteLength;
    return bytes > mostBeginningBytes;
  });
  return Buffer.concat(count < 0 ? pieces : pieces.slice(0, count + 1));
}
