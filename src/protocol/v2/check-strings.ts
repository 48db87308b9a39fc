import type { ErrorCode, ErrorFacts, SkeinError } from '../errors.ts';
import type { Tensor } from '../tensors/tensor.ts';

/** Whether a BYTES tensor holds `expected` elements, each a 4-byte length and that many bytes, and nothing else. */
export function checkStrings(
  tensor: Tensor,
  expected: number,
  refuse: (code: ErrorCode, facts: ErrorFacts) => SkeinError,
): void {
  const input = tensor.name;
  const parts = new PartReader(tensor);
  let got = 0;
  for (; parts.left > 0; got++) {
    if (got >= expected) throw refuse('strings_surplus', { input, got: got + 1, expected });
    if (parts.left < 4) throw refuse('string_prefix_cut', { input, bytes: parts.left });
    const length = parts.readUint32();
    if (length > parts.left) throw refuse('string_cut', { input, length, bytes: parts.left });
    parts.skip(length);
  }
  if (got < expected) throw refuse('strings_missing', { input, got, expected: BigInt(expected).toString() });
}

/** Reads across the parts of a tensor: a length may be cut anywhere. */
class PartReader {
  left: number;
  readonly #parts: readonly Uint8Array[];
  #part = 0;
  #at = 0;

  constructor(tensor: Tensor) {
    this.#parts = tensor.parts;
    this.left = tensor.byteLength;
  }

  readUint32(): number {
    const low = this.#readByte() | (this.#readByte() << 8) | (this.#readByte() << 16);
    return low + this.#readByte() * 2 ** 24;
  }

  skip(byteLength: number): void {
    this.left -= byteLength;
    let at = this.#at + byteLength;
    while (this.#part < this.#parts.length && at >= this.#parts[this.#part]!.byteLength) {
      at -= this.#parts[this.#part]!.byteLength;
      this.#part++;
    }
    this.#at = at;
  }

  #readByte(): number {
    while (this.#at >= this.#parts[this.#part]!.byteLength) {
      this.#part++;
      this.#at = 0;
    }
    this.left--;
    return this.#parts[this.#part]![this.#at++]!;
  }
}
