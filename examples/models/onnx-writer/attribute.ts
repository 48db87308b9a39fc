import { type ConstantTensor, encodeTensor } from './tensor.ts';
import { ProtoMessage } from './wire.ts';

/** Anything that encodes itself as a GraphProto: the body of a Loop or an If. */
export interface Subgraph {
  encodeGraph(): ProtoMessage;
}

/** A bare number is an INT and a bare list INTS; floats must say so, because 1 and 1.0 are one value in JavaScript. */
export type Attribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly tensor: ConstantTensor }
  | { readonly graph: Subgraph };

/** `AttributeProto.AttributeType`. */
const kinds = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8 } as const;

/** An AttributeProto. */
export function encodeAttribute(name: string, value: Attribute): ProtoMessage {
  const message = new ProtoMessage().string(1, name);
  const [kind, encoded] = encodeValue(name, value, message);
  return encoded.int(20, kinds[kind]);
}

function encodeValue(name: string, value: Attribute, message: ProtoMessage): [keyof typeof kinds, ProtoMessage] {
  if (typeof value === 'number') return ['int', message.int(3, whole(name, value))];
  if (typeof value === 'string') return ['string', message.string(4, value)];
  if (isList(value)) {
    for (const item of value) message.int(8, whole(name, item));
    return ['ints', message];
  }
  if ('float' in value) return ['float', message.float(2, value.float)];
  if ('tensor' in value) return ['tensor', message.message(5, encodeTensor('', value.tensor))];
  if ('graph' in value) return ['graph', message.message(6, value.graph.encodeGraph())];
  if ('floats' in value) {
    for (const item of value.floats) message.float(7, item);
    return ['floats', message];
  }
  for (const item of value.strings) message.string(9, item);
  return ['strings', message];
}

function isList(value: Exclude<Attribute, number | string>): value is readonly number[] {
  return Array.isArray(value);
}

function whole(name: string, value: number): number {
  if (!Number.isInteger(value))
    throw new TypeError(`attribute '${name}' is ${value}: a float is written { float: ${value} }`);
  return value;
}
