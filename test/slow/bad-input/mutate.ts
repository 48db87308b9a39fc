/** Random damage to a good request. */

const tokens = [
  '-1',
  '0',
  '1e999',
  '18446744073709551616',
  'null',
  '[',
  ']',
  '{',
  '}',
  '"',
  ',',
  '\\u0000',
  '\\ud800',
  'NaN',
  '""',
  '[[]]',
];

/** One to four changes: a bit turned over, bytes left out, put in or said twice, a token in a wrong place. */
export function mutated(good: Buffer, random: () => number): Buffer {
  const below = (bound: number) => Math.floor(random() * bound);
  let bytes = Buffer.from(good);
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(bytes.length);
    const length = 1 + below(Math.min(16, bytes.length - at));
    switch (below(5)) {
      case 0:
        bytes[at]! ^= 1 << below(8);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(tokens[below(tokens.length)]!), bytes.subarray(at)]);
        break;
      default:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(Array.from({ length }, () => below(256))),
          bytes.subarray(at),
        ]);
    }
    if (bytes.length === 0) return bytes;
  }
  return bytes;
}
