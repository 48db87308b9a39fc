/**
 * The external data files of an ONNX model, found while its bytes stream by.
 *
 * A tensor whose data lie in another file names it in a StringStringEntryProto { key = 1: "location", value = 2: path },
 * relative to the model. That entry is looked for as bytes, not parsed: what merely looks like one costs a look at a file that
 * is not there, and none can be missed but one whose fields a writer put in the reverse order, which no protobuf
 * library does.
 *
 * https://onnx.ai/onnx/repo-docs/ExternalData.html
 */
export class ExternalDataFinder {
  readonly #paths = new Set<string>();
  #tail: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    // An entry may lie across two chunks: the end of the last one is looked at again.
    const bytes = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk.subarray(0, reach)]);
    this.#search(bytes);
    if (this.#tail.length > 0) this.#search(chunk);
    this.#tail = Buffer.from(
      chunk.length >= reach ? chunk.subarray(-reach) : Buffer.concat([this.#tail, chunk]).subarray(-reach),
    );
  }

  /** As written in the model, ascending. */
  get paths(): string[] {
    return [...this.#paths].sort();
  }

  #search(bytes: Buffer): void {
    for (let at = bytes.indexOf(entryKey); at !== -1; at = bytes.indexOf(entryKey, at + 1)) {
      const path = valueAt(bytes, at + entryKey.length);
      if (path !== undefined && this.#paths.size < mostFiles) this.#paths.add(path);
    }
  }
}

/** Field 1, length 8, "location". */
const entryKey = Buffer.from('\n\u0008location', 'latin1');
const valueTag = 0x12;
const longestPath = 4_096;
/** The longest entry: key, tag, two bytes of length, path. */
const reach = entryKey.length + 3 + longestPath;
const mostFiles = 10_000;

/** The path behind a key; undefined where what follows is no such value or is not all there yet. */
function valueAt(bytes: Buffer, at: number): string | undefined {
  if (bytes[at] !== valueTag) return undefined;
  const low = bytes[at + 1] ?? 0;
  const high = low < 0x80 ? undefined : bytes[at + 2];
  const length = high === undefined ? low : (low & 0x7f) + high * 128;
  const start = at + (high === undefined ? 2 : 3);
  if (length === 0 || length > longestPath || start + length > bytes.length) return undefined;
  return bytes.toString('utf8', start, start + length);
}
