import { type Attribute, encodeAttribute, type Subgraph } from './attribute.ts';
import type { ElementType } from './element-type.ts';
import { type ConstantTensor, encodeTensor } from './tensor.ts';
import { type Dimension, encodeValueInfo, tensor, type ValueType } from './value-type.ts';
import { ProtoMessage } from './wire.ts';

interface NodeOptions {
  /** Names of the node's outputs; one fresh name if left out. '' leaves an optional output away. */
  readonly outputs?: readonly string[];
  /** '' is ONNX's own operator set; 'ai.onnx.ml' and 'com.microsoft' must also be imported by the model. */
  readonly domain?: string;
}

/**
 * A graph, built in the order in which its nodes run. Values go by name: `input`, `constant` and `node` return the name
 * to hand to the next node.
 */
export class GraphBuilder implements Subgraph {
  readonly name: string;
  readonly #inputs: ProtoMessage[] = [];
  readonly #outputs: ProtoMessage[] = [];
  readonly #constants: ProtoMessage[] = [];
  readonly #nodes: ProtoMessage[] = [];

  constructor(name: string) {
    this.name = name;
  }

  input(name: string, element: ElementType, shape: readonly Dimension[]): string {
    return this.inputOf(name, tensor(element, shape));
  }

  inputOf(name: string, type: ValueType): string {
    this.#inputs.push(encodeValueInfo(name, type));
    return name;
  }

  output(name: string, element: ElementType, shape: readonly Dimension[]): void {
    this.outputOf(name, tensor(element, shape));
  }

  outputOf(name: string, type: ValueType): void {
    this.#outputs.push(encodeValueInfo(name, type));
  }

  constant(value: ConstantTensor, name = `${this.name}_constant_${this.#constants.length}`): string {
    this.#constants.push(encodeTensor(name, value));
    return name;
  }

  /** Adds a node and returns the name of its first output. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    { outputs = [`${this.name}_value_${this.#nodes.length}`], domain = '' }: NodeOptions = {},
  ): string {
    const message = new ProtoMessage();
    for (const input of inputs) message.string(1, input);
    for (const output of outputs) message.string(2, output);
    message.string(3, `${operator}_${this.#nodes.length}`).string(4, operator);
    for (const [key, value] of Object.entries(attributes)) message.message(5, encodeAttribute(key, value));
    if (domain !== '') message.string(7, domain);
    this.#nodes.push(message);
    return outputs[0] ?? '';
  }

  /** A GraphProto. */
  encodeGraph(): ProtoMessage {
    const message = new ProtoMessage();
    for (const node of this.#nodes) message.message(1, node);
    message.string(2, this.name);
    for (const constant of this.#constants) message.message(5, constant);
    for (const input of this.#inputs) message.message(11, input);
    for (const output of this.#outputs) message.message(12, output);
    return message;
  }
}
