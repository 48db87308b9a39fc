import { type ConfigNode, type ConfigSource, malformed, type ScalarNode } from './config-tree.ts';
import type { EnumType, ScalarType } from './field-row.ts';

/** Whole numbers of 64 bits are read as far as JavaScript counts exactly; no field has a use for larger ones. */
const ranges: Readonly<Record<'int32' | 'uint32' | 'int64' | 'uint64', readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
};

const truth: Readonly<Record<string, boolean>> = {
  true: true,
  True: true,
  t: true,
  '1': true,
  false: false,
  False: false,
  f: false,
  '0': false,
};

export function readScalar(
  node: ConfigNode,
  type: ScalarType | EnumType,
  path: string,
  source: ConfigSource,
): string | number | boolean {
  if (node.kind === 'message' || node.kind === 'list') {
    throw malformed(source.model, node.where, `${path} is one ${typeof type === 'object' ? type.name : type} value`);
  }
  const value = typeof type === 'object' ? readEnum(node, type, source) : readPrimitive(node, type, source);
  if (value !== undefined) return value;
  const expected = typeof type === 'object' ? `one of ${type.names.join(', ')}` : described(type);
  throw malformed(source.model, node.where, `${path} is ${expected}, got ${node.text.slice(0, 64)}`);
}

function readPrimitive(node: ScalarNode, type: ScalarType, source: ConfigSource) {
  if (type === 'string') return node.kind === 'string' ? node.text : undefined;
  if (type === 'bool') {
    const readable = source.form === 'json' ? node.kind === 'word' : node.kind !== 'string';
    return readable && Object.hasOwn(truth, node.text) ? truth[node.text] : undefined;
  }
  if (node.kind === 'string' && source.form === 'text') return undefined;
  if (type === 'double') return readDouble(node.text);
  const [least, most] = ranges[type];
  const value = readInteger(node.text);
  return value !== undefined && value >= least && value <= most ? value : undefined;
}

/** Decimal, 0x hexadecimal, or octal after a leading 0. JSON may write a whole number as 8.0 or 8e0, which String() undoes. */
function readInteger(text: string): number | undefined {
  const found = /^(-?)(?:(0|[1-9]\d*)|0[xX]([0-9a-fA-F]+)|0([0-7]+))$/.exec(text);
  if (found === null) return undefined;
  const [, sign, decimal, hex, octal] = found;
  const size = decimal ? Number(decimal) : hex ? Number.parseInt(hex, 16) : Number.parseInt(octal ?? '', 8);
  return sign === '-' && size !== 0 ? -size : size;
}

function readDouble(text: string): number | undefined {
  const words: Readonly<Record<string, number>> = { inf: Number.POSITIVE_INFINITY, infinity: Number.POSITIVE_INFINITY };
  const bare = text.replace(/^-/, '').toLowerCase();
  const size = Object.hasOwn(words, bare)
    ? words[bare]!
    : Number(/^[\d.]/.test(bare) ? bare.replace(/f$/, '') : 'none');
  return Number.isNaN(size) ? undefined : text.startsWith('-') ? -size : size;
}

/** By name, or by number. Triton reads names in JSON without regard to case. */
function readEnum(node: ScalarNode, type: EnumType, source: ConfigSource): string | undefined {
  if (node.kind === 'number') return type.names[readInteger(node.text) ?? -1];
  if ((node.kind === 'string') !== (source.form === 'json')) return undefined;
  const name = source.form === 'json' ? node.text.toUpperCase() : node.text;
  return type.names.includes(name) ? name : undefined;
}

function described(type: ScalarType): string {
  if (type === 'string') return 'a string';
  if (type === 'bool') return 'true or false';
  if (type === 'double') return 'a number';
  const [least, most] = ranges[type];
  return `a whole number from ${least} to ${most}`;
}
