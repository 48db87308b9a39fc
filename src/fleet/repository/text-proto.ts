import { type ConfigNode, configBounds, type FieldNode, type MessageNode, malformed } from './config-tree.ts';
import { TextProtoLexer } from './text-proto-lexer.ts';

/**
 * Reads protobuf text format (`config.pbtxt`) into a tree, without a schema and strictly: what the protobuf library
 * refuses is refused here with its place. Extensions (`[a.b]: …`) do not occur in a model's configuration and are refused.
 *
 * https://protobuf.dev/reference/protobuf/textformat-spec
 */
export function readTextProto(text: string, model: string): MessageNode {
  if (text.length > configBounds.length) {
    throw malformed(model, 'its end', `it is ${text.length} characters long; at most ${configBounds.length} are read`);
  }
  const lexer = new TextProtoLexer(text, model);
  const where = lexer.where;
  const fields = new TextProtoReader(lexer).fields('end', '', 0);
  return { kind: 'message', fields, where };
}

const closing: Readonly<Record<string, string>> = { '{': '}', '<': '>' };

class TextProtoReader {
  readonly #lexer: TextProtoLexer;
  #nodes = 0;

  constructor(lexer: TextProtoLexer) {
    this.#lexer = lexer;
  }

  fields(endKind: 'end' | 'symbol', endText: string, depth: number): FieldNode[] {
    const lexer = this.#lexer;
    const fields: FieldNode[] = [];
    while (!(lexer.kind === endKind && (endKind === 'end' || lexer.text === endText))) {
      fields.push(this.#field(depth));
      if (!this.#take(',')) this.#take(';');
    }
    return fields;
  }

  #field(depth: number): FieldNode {
    const lexer = this.#lexer;
    const where = lexer.where;
    if (lexer.kind !== 'name') throw lexer.fail(`expected the name of a field, got ${shown(lexer)}`);
    const name = lexer.text;
    lexer.advance();
    const colon = this.#take(':');
    if (!colon && !this.#startsMessage() && !this.#at('[')) {
      throw lexer.fail(`expected ":" or "{" after the field ${name}, got ${shown(lexer)}`);
    }
    const value = this.#value(depth);
    if (!colon && value.kind === 'list' && value.items.some((item) => item.kind !== 'message')) {
      throw malformedList(lexer, name);
    }
    return { name, value, where };
  }

  #value(depth: number): ConfigNode {
    const lexer = this.#lexer;
    if (!this.#at('[')) return this.#single(depth);
    const where = this.#node();
    lexer.advance();
    const items: ConfigNode[] = [];
    if (this.#take(']')) return { kind: 'list', items, where };
    do items.push(this.#single(depth));
    while (this.#take(','));
    if (!this.#take(']')) throw lexer.fail(`expected "," or "]", got ${shown(lexer)}`);
    return { kind: 'list', items, where };
  }

  #single(depth: number): ConfigNode {
    const lexer = this.#lexer;
    const where = this.#node();
    if (this.#startsMessage()) return this.#message(depth + 1, where);
    if (lexer.kind === 'string') return { kind: 'string', text: this.#strings(), where };
    const sign = this.#take('-') ? '-' : '';
    const { kind, text } = lexer;
    if (kind === 'number') {
      lexer.advance();
      return { kind: 'number', text: sign + text, where };
    }
    if (kind !== 'name') throw lexer.fail(`expected a value, got ${shown(lexer)}`);
    lexer.advance();
    return { kind: 'word', text: sign + text, where };
  }

  #message(depth: number, where: string): MessageNode {
    const lexer = this.#lexer;
    if (depth > configBounds.depth) throw lexer.fail(`messages are nested more than ${configBounds.depth} deep`);
    const end = closing[lexer.text] ?? '}';
    lexer.advance();
    const fields = this.fields('symbol', end, depth);
    lexer.advance();
    return { kind: 'message', fields, where };
  }

  /** Strings that stand side by side are one string. */
  #strings(): string {
    const pieces: string[] = [];
    while (this.#lexer.kind === 'string') {
      pieces.push(this.#lexer.text);
      this.#lexer.advance();
    }
    return pieces.join('');
  }

  #node(): string {
    this.#nodes += 1;
    if (this.#nodes > configBounds.nodes) throw this.#lexer.fail(`it has more than ${configBounds.nodes} values`);
    return this.#lexer.where;
  }

  #startsMessage(): boolean {
    return this.#at('{') || this.#at('<');
  }

  #at(symbol: string): boolean {
    return this.#lexer.kind === 'symbol' && this.#lexer.text === symbol;
  }

  #take(symbol: string): boolean {
    const there = this.#at(symbol);
    if (there) this.#lexer.advance();
    return there;
  }
}

function malformedList(lexer: TextProtoLexer, name: string) {
  return lexer.fail(`the list of ${name} that ends here needs ":" before it, as its items are not messages`);
}

function shown(lexer: TextProtoLexer): string {
  return lexer.kind === 'end' ? lexer.text : JSON.stringify(lexer.text.slice(0, 40));
}
