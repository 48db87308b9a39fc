import { SkeinError } from '../errors.ts';
import { closeBracket, comma, openBrace, openBracket } from '../json/json-characters.ts';
import type { JsonCursor } from '../json/json-cursor.ts';
import { readMembers } from '../json/json-value.ts';
import type { Tensor, TensorSpec } from '../tensors/tensor.ts';
import { isBase64 } from './base64-value.ts';
import { debugText } from './debug-text.ts';
import { readDense } from './dense-value.ts';
import { type ElementSink, elementSink } from './element-sink.ts';
import type { RequestDocument } from './request-document.ts';
import { shapeText } from './shape-text.ts';

/** `instances`: a list with one element for each row, a value or, for several inputs, an object of them. */
export function readRowInputs(document: RequestDocument, specs: readonly TensorSpec[]): Tensor[] {
  const cursor = document.cursorOn('instances');
  if (cursor.peek() !== openBracket) throw document.fault("Expecting 'instances' to be an list/array");
  cursor.enter();
  cursor.at++;
  if (cursor.peek() === closeBracket) throw document.fault("No values in 'instances' array");
  return new RowReader(cursor, specs).read();
}

/** The values of one input, row after row. */
class Column {
  readonly spec: TensorSpec;
  /** Rows that have a value of it. */
  rows = 0;
  readonly #sink: ElementSink;
  /** Of one row; undefined before the first. */
  #shape: readonly number[] | undefined;
  #rowElements = 0;

  constructor(spec: TensorSpec) {
    this.spec = spec;
    this.#sink = elementSink(spec.datatype);
  }

  takeRow(cursor: JsonCursor): void {
    const before = this.#sink.count;
    const shape = readDense(cursor, this.#sink);
    const got = this.#sink.count - before;
    this.rows++;
    if (this.#shape === undefined) {
      this.#shape = shape;
      this.#rowElements = got;
    } else if (got !== this.#rowElements) {
      throw new SkeinError('v1_instance_size', { expected: this.#rowElements, got });
    } else if (!sameShape(shape, this.#shape)) {
      throw new SkeinError('v1_instance_shape', { expected: shapeText(this.#shape), got: shapeText(shape) });
    }
  }

  get isLeftOut(): boolean {
    return this.spec.optional === true && this.rows === 0;
  }

  tensor(): Tensor {
    const bytes = this.#sink.bytes();
    const { name, datatype } = this.spec;
    const shape = [this.rows, ...(this.#shape ?? [])];
    return { name, datatype, shape, parts: bytes.byteLength === 0 ? [] : [bytes], byteLength: bytes.byteLength };
  }
}

class RowReader {
  readonly #cursor: JsonCursor;
  readonly #columns: readonly Column[];
  #rows = 0;

  constructor(cursor: JsonCursor, specs: readonly TensorSpec[]) {
    this.#cursor = cursor;
    this.#columns = specs.map((spec) => new Column(spec));
  }

  read(): Tensor[] {
    const cursor = this.#cursor;
    const isBrace = cursor.peek() === openBrace;
    if (!isBrace && this.#plain === undefined) throw new SkeinError('v1_plain_list');
    const areObjects = isBrace && !isBase64(cursor);
    for (;;) {
      if (areObjects) this.#readObject();
      else this.#readPlain();
      this.#rows++;
      const byte = cursor.peek();
      if (byte === closeBracket) break;
      if (byte !== comma) throw cursor.fault("Missing a comma or ']' after an array element.");
      cursor.at++;
      cursor.peek();
    }
    return this.#columns.filter((column) => !column.isLeftOut).map((column) => column.tensor());
  }

  /** The input whose values stand without a name. */
  get #plain(): Column | undefined {
    const required = this.#columns.filter(({ spec }) => spec.optional !== true);
    const candidates = required.length > 0 ? required : this.#columns;
    return candidates.length === 1 ? candidates[0] : undefined;
  }

  #readPlain(): void {
    const cursor = this.#cursor;
    if (cursor.peek() === openBrace && !isBase64(cursor))
      throw new SkeinError('v1_value_expected', { row: this.#rows });
    const column = this.#plain;
    if (column === undefined) throw new SkeinError('v1_plain_list');
    try {
      column.takeRow(cursor);
    } catch (fault) {
      throw this.#inRow(fault, '');
    }
  }

  #readObject(): void {
    const cursor = this.#cursor;
    if (cursor.peek() !== openBrace || isBase64(cursor))
      throw new SkeinError('v1_object_expected', { row: this.#rows });
    const start = cursor.at;
    const given = new Set<string>();
    readMembers(cursor, (name) => {
      const column = this.#columns.find(({ spec }) => spec.name === name);
      try {
        if (column === undefined) throw new SkeinError('v1_input_unknown', { input: name.slice(0, 256) });
        if (given.has(name)) throw new SkeinError('input_twice', { input: name });
        given.add(name);
        column.takeRow(cursor);
      } catch (fault) {
        throw this.#inRow(fault, ` key: ${name.slice(0, 256)}`);
      }
    });
    if (this.#columns.every((column) => column.isLeftOut || column.rows === this.#rows + 1)) return;
    const names = this.#columns.map(({ spec }) => spec.name).sort();
    const value = debugText(cursor.bytes, start);
    throw new SkeinError('v1_instance_keys', { row: this.#rows, value, names: names.join(',') });
  }

  /** Which row it was; a fault of syntax concerns the body as a whole. */
  #inRow(fault: unknown, key: string): unknown {
    if (!(fault instanceof SkeinError) || fault.code === 'json_malformed' || fault.code === 'json_too_deep')
      return fault;
    const status = fault.kind === 'unsupported' ? 'UNIMPLEMENTED' : 'INVALID_ARGUMENT';
    return new SkeinError('v1_instance', { row: this.#rows, key, status, reason: fault.message });
  }
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
