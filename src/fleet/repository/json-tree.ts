import { type ConfigNode, configBounds, type FieldNode, type MessageNode, malformed } from './config-tree.ts';

/**
 * Reads the JSON form of a configuration, as the `config` parameter of a repository load call carries it, into the same
 * tree as protobuf text. A field of `null` is a field that was not written, as protobuf's JSON mapping has it.
 */
export function readJsonTree(text: string, model: string): MessageNode {
  if (text.length > configBounds.length) {
    throw malformed(model, 'its end', `it is ${text.length} characters long; at most ${configBounds.length} are read`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (fault) {
    throw malformed(model, '$', `it is not JSON: ${fault instanceof Error ? fault.message : String(fault)}`);
  }
  const tree = new JsonTreeReader(model).node(value, '$', 0);
  if (tree.kind !== 'message') throw malformed(model, '$', 'a configuration is a JSON object');
  return tree;
}

class JsonTreeReader {
  readonly #model: string;
  #nodes = 0;

  constructor(model: string) {
    this.#model = model;
  }

  node(value: unknown, where: string, depth: number): ConfigNode {
    this.#nodes += 1;
    if (this.#nodes > configBounds.nodes)
      throw malformed(this.#model, where, `it has more than ${configBounds.nodes} values`);
    if (depth > configBounds.depth)
      throw malformed(this.#model, where, `it is nested more than ${configBounds.depth} deep`);
    if (typeof value === 'string') return { kind: 'string', text: value, where };
    if (typeof value === 'number') return { kind: 'number', text: String(value), where };
    if (typeof value === 'boolean') return { kind: 'word', text: String(value), where };
    if (Array.isArray(value)) {
      return { kind: 'list', items: value.map((item, i) => this.node(item, `${where}[${i}]`, depth + 1)), where };
    }
    if (typeof value === 'object' && value !== null) return this.#message(value, where, depth);
    throw malformed(this.#model, where, 'null is no value here');
  }

  #message(value: object, where: string, depth: number): MessageNode {
    const fields: FieldNode[] = [];
    for (const [name, item] of Object.entries(value)) {
      if (item === null) continue;
      const place = `${where}.${name.slice(0, 64)}`;
      fields.push({ name, value: this.node(item, place, depth + 1), where: place });
    }
    return { kind: 'message', fields, where };
  }
}
