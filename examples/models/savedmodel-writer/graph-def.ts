import { ProtoMessage } from '../onnx-writer/wire.ts';

/** DataType of TensorFlow's types.proto, by TensorFlow's names. */
export const dataTypes = {
  float: 1,
  double: 2,
  int32: 3,
  uint8: 4,
  int16: 5,
  int8: 6,
  string: 7,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  uint16: 17,
  half: 19,
  uint32: 22,
  uint64: 23,
} as const;

export type DataType = keyof typeof dataTypes;

/** One attribute of a node, by the kinds that AttrValue has. */
type Attribute =
  | { readonly type: DataType }
  | { readonly shape: readonly number[] | 'unknown' }
  | { readonly int: number }
  | { readonly float: number }
  | { readonly bool: boolean }
  | { readonly text: string }
  | { readonly ints: readonly number[] }
  | { readonly types: readonly DataType[] }
  | { readonly function: string }
  | { readonly tensor: Constant };

/** A constant: little-endian row-major bytes, or strings. */
interface Constant {
  readonly type: DataType;
  readonly shape: readonly number[];
  readonly data: Uint8Array | readonly string[];
}

/** A GraphDef, built in the order in which its nodes run. `node` returns the name to hand to the next node. */
export class GraphDefBuilder {
  readonly #nodes: ProtoMessage[] = [];
  readonly #functions: ProtoMessage[] = [];

  placeholder(name: string, type: DataType, shape: readonly number[] | 'unknown'): string {
    return this.node('Placeholder', [], { dtype: { type }, shape: { shape } }, name);
  }

  constant(tensor: Constant, name = `constant_${this.#nodes.length}`): string {
    return this.node('Const', [], { dtype: { type: tensor.type }, value: { tensor } }, name);
  }

  floats(shape: readonly number[], values: readonly number[] | Float32Array): string {
    const array = values instanceof Float32Array ? values : Float32Array.from(values);
    return this.constant({
      type: 'float',
      shape,
      data: new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
    });
  }

  int32s(values: readonly number[]): string {
    return this.constant({
      type: 'int32',
      shape: [values.length],
      data: new Uint8Array(Int32Array.from(values).buffer),
    });
  }

  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    name = `${op}_${this.#nodes.length}`,
  ): string {
    this.#nodes.push(encodeNode(op, inputs, attributes, name));
    return name;
  }

  /** A function of the library without arguments or results: its body is a list of nodes. */
  addFunction(name: string, body: readonly (readonly [op: string, inputs: readonly string[], name: string])[]): void {
    const message = new ProtoMessage().message(1, new ProtoMessage().string(1, name));
    for (const [op, inputs, node] of body) message.message(3, encodeNode(op, inputs, {}, node));
    this.#functions.push(message);
  }

  encode(): ProtoMessage {
    const graph = new ProtoMessage();
    for (const node of this.#nodes) graph.message(1, node);
    const library = new ProtoMessage();
    for (const one of this.#functions) library.message(1, one);
    graph.message(2, library);
    return graph.message(4, new ProtoMessage().int(1, producerVersion));
  }
}

/** Of graphs; 1087 is that of TensorFlow 2.9, which newer ones read. */
const producerVersion = 1087;

function encodeNode(
  op: string,
  inputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>>,
  name: string,
): ProtoMessage {
  const node = new ProtoMessage().string(1, name).string(2, op);
  for (const input of inputs) node.string(3, input);
  for (const [key, value] of Object.entries(attributes)) {
    node.message(5, new ProtoMessage().string(1, key).message(2, encodeAttribute(value)));
  }
  return node;
}

function encodeAttribute(attribute: Attribute): ProtoMessage {
  const message = new ProtoMessage();
  if ('type' in attribute) return message.int(6, dataTypes[attribute.type]);
  if ('shape' in attribute) return message.message(7, encodeShape(attribute.shape));
  if ('int' in attribute) return message.int(3, attribute.int);
  if ('float' in attribute) return message.float(4, attribute.float);
  if ('bool' in attribute) return message.int(5, attribute.bool ? 1 : 0);
  if ('text' in attribute) return message.string(2, attribute.text);
  if ('function' in attribute) return message.message(10, new ProtoMessage().string(1, attribute.function));
  if ('tensor' in attribute) return message.message(8, encodeTensor(attribute.tensor));
  const list = new ProtoMessage();
  if ('ints' in attribute) for (const value of attribute.ints) list.int(3, value);
  else for (const type of attribute.types) list.int(6, dataTypes[type]);
  return message.message(1, list);
}

export function encodeShape(shape: readonly number[] | 'unknown'): ProtoMessage {
  const message = new ProtoMessage();
  if (shape === 'unknown') return message.int(3, 1);
  for (const size of shape) message.message(2, new ProtoMessage().int(1, size));
  return message;
}

function encodeTensor({ type, shape, data }: Constant): ProtoMessage {
  const tensor = new ProtoMessage().int(1, dataTypes[type]).message(2, encodeShape(shape));
  if (data instanceof Uint8Array) return tensor.bytes(4, data);
  for (const text of data) tensor.string(8, text);
  return tensor;
}
