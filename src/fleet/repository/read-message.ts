import { SkeinError } from '../../protocol/errors.ts';
import { type ConfigNode, type ConfigSource, type FieldNode, type MessageNode, malformed } from './config-tree.ts';
import type { FieldRow, MessageType } from './field-row.ts';
import type { ConfigValue, ConfigWarning } from './model-config.ts';
import { readScalar } from './read-scalar.ts';

export type ConfigMessage = { readonly [field: string]: ConfigValue };

/**
 * A tree read by the table: only the fields that were written, by their protobuf names. Refused fields throw; fields
 * that only tune are handed to `warn`.
 */
export function readMessage(
  tree: MessageNode,
  type: MessageType,
  source: ConfigSource,
  warn: (warning: ConfigWarning) => void,
): ConfigMessage {
  return new MessageReader(source, warn).message(tree, type, '');
}

class MessageReader {
  readonly #source: ConfigSource;
  readonly #warn: (warning: ConfigWarning) => void;

  constructor(source: ConfigSource, warn: (warning: ConfigWarning) => void) {
    this.#source = source;
    this.#warn = warn;
  }

  message(node: ConfigNode, type: MessageType, path: string): ConfigMessage {
    if (node.kind !== 'message') throw this.#wrong(node.where, `${path || 'the configuration'} is a message`);
    const written = new Map<string, FieldNode[]>();
    for (const field of node.fields) {
      const name = this.#known(field, type);
      const earlier = written.get(name);
      if (earlier === undefined) written.set(name, [field]);
      else earlier.push(field);
    }
    const value: Record<string, ConfigValue> = {};
    const chosen = new Map<string, string>();
    for (const [name, nodes] of written) {
      const row = type.fields[name] as FieldRow;
      this.#checkChoice(row, name, nodes, chosen);
      value[name] = this.#field(nodes, row, path === '' ? name : `${path}.${name}`);
    }
    return value;
  }

  #known(field: FieldNode, type: MessageType): string {
    if (Object.hasOwn(type.fields, field.name)) return field.name;
    const snake = field.name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (this.#source.form === 'json' && Object.hasOwn(type.fields, snake)) return snake;
    const names = Object.keys(type.fields).join(', ');
    throw this.#wrong(field.where, `${type.name} has no field "${field.name.slice(0, 64)}"; it has ${names || 'none'}`);
  }

  #checkChoice(row: FieldRow, name: string, nodes: readonly FieldNode[], chosen: Map<string, string>): void {
    if (row.many === undefined && nodes.length > 1) {
      throw this.#wrong(nodes[1]!.where, `${name} is written a second time`);
    }
    if (row.oneof === undefined) return;
    const other = chosen.get(row.oneof);
    if (other !== undefined) throw this.#wrong(nodes[0]!.where, `${name} and ${other} exclude each other`);
    chosen.set(row.oneof, name);
  }

  #field(nodes: readonly FieldNode[], row: FieldRow, path: string): ConfigValue {
    const items = row.many === undefined ? nodes.map((node) => node.value) : this.#items(nodes, row, path);
    const value =
      row.many === 'map'
        ? this.#map(items, row, path)
        : row.many === 'list'
          ? items.map((item) => this.#one(item, row, path))
          : this.#one(items[0]!, row, path);
    if (row.support === 'honoured' || row.support === 'part' || asksNothing(value, row)) return value;
    const { where } = nodes[0]!;
    if (row.support === 'refused') {
      throw new SkeinError('config_refused', { model: this.#source.model, field: path, where, reason: row.note });
    }
    this.#warn({ field: path, where, reason: row.note });
    return value;
  }

  /** A repeated field may come as lists, one by one, or both; in JSON as one array, or for a map as one object. */
  #items(nodes: readonly FieldNode[], row: FieldRow, path: string): ConfigNode[] {
    if (this.#source.form === 'text')
      return nodes.flatMap(({ value }) => (value.kind === 'list' ? value.items : [value]));
    const { value } = nodes[0]!;
    if (row.many === 'list') {
      if (value.kind !== 'list') throw this.#wrong(value.where, `${path} is a list`);
      return [...value.items];
    }
    if (value.kind !== 'message') throw this.#wrong(value.where, `${path} is an object`);
    return value.fields.map(({ name, value: item, where }) => ({
      kind: 'message',
      fields: [
        { name: 'key', value: { kind: 'string', text: name, where }, where },
        { name: 'value', value: item, where },
      ],
      where,
    }));
  }

  #map(entries: readonly ConfigNode[], row: FieldRow, path: string): ConfigMessage {
    const values = new Map<string, ConfigValue>();
    for (const entry of entries) {
      if (entry.kind !== 'message') throw this.#wrong(entry.where, `${path} is entries of a key and a value`);
      let key = '';
      let node: ConfigNode | undefined;
      for (const field of entry.fields) {
        if (field.name === 'key') key = this.#key(field);
        else if (field.name === 'value') node = field.value;
        else
          throw this.#wrong(field.where, `an entry of ${path} has a key and a value, no "${field.name.slice(0, 64)}"`);
      }
      node ??= row.type === 'string' ? { kind: 'string', text: '', where: entry.where } : { ...entry, fields: [] };
      values.set(key, this.#one(node, row, `${path}[${key.slice(0, 64)}]`));
    }
    return Object.fromEntries(values);
  }

  /** Keys are strings or, for queue policies, unsigned numbers; both are kept as text. */
  #key({ value, where }: FieldNode): string {
    if (value.kind === 'string' || value.kind === 'number') return value.text;
    throw this.#wrong(where, 'a key is a string or a number');
  }

  #one(node: ConfigNode, row: FieldRow, path: string): ConfigValue {
    if (row.type === 'opaque') return true;
    if (typeof row.type === 'object' && row.type.kind === 'message') return this.message(node, row.type, path);
    return readScalar(node, row.type, path, this.#source);
  }

  #wrong(where: string, reason: string): SkeinError {
    return malformed(this.#source.model, where, reason);
  }
}

/** Whether a value says only what holds anyway: a default, nothing, or messages of such. */
function asksNothing(value: ConfigValue, row: FieldRow): boolean {
  if (row.neutral !== undefined) return JSON.stringify(value) === JSON.stringify(row.neutral);
  if (typeof row.type === 'object' && row.type.kind === 'enum' && row.many === undefined)
    return value === row.type.names[0];
  return row.type === 'opaque' && row.many === undefined ? false : isEmpty(value);
}

function isEmpty(value: ConfigValue): boolean {
  if (typeof value === 'object') return Object.values(value).every((item) => !Array.isArray(value) && isEmpty(item));
  return value === '' || value === 0 || value === false;
}
