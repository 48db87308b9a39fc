import { SkeinError } from '../errors.ts';
import type { Tensor } from '../tensors/tensor.ts';
import { dataTypeOf } from '../tfserving/data-type.ts';
import type { EncodedBody } from '../v2/infer-reply.ts';
import { TextParts } from '../v2/text-parts.ts';
import { stringElements, type TypedElements, typedElements } from '../v2/typed-elements.ts';
import { decimalText } from './decimal-text.ts';
import type { PredictForm } from './decode-predict.ts';
import { PrettyJson } from './pretty-json.ts';

/** The body of the answer to a predict request, laid out as TensorFlow Serving lays it out. */
export function encodePredict(outputs: readonly Tensor[], form: PredictForm): EncodedBody {
  const text = new TextParts();
  const json = new PrettyJson(text);
  const writers = outputs.map((tensor) => new TensorWriter(tensor, json));
  json.startObject();
  if (form === 'row') writeRows(json, writers, rowsOf(outputs));
  else writeColumns(json, writers);
  json.endObject();
  text.flush();
  return { headerLength: undefined, parts: text.parts, byteLength: text.byteLength };
}

/** Rows of dimension 0, which all outputs must share. */
function rowsOf(outputs: readonly Tensor[]): number {
  let rows: number | undefined;
  for (const { name, shape } of outputs) {
    if (shape.length === 0) throw new SkeinError('v1_output_scalar', { output: name });
    rows ??= shape[0]!;
    if (shape[0] !== rows) throw new SkeinError('v1_output_rows', { output: name, rows: shape[0]!, expected: rows });
  }
  return rows ?? 0;
}

function writeRows(json: PrettyJson, writers: readonly TensorWriter[], rows: number): void {
  json.string('predictions');
  json.startArray();
  const areNamed = writers.length > 1;
  const only = writers[0];
  if (!areNamed && only !== undefined && only.isFlat) {
    json.singleLine = true;
    only.write(0, rows);
    json.singleLine = false;
  } else
    for (let row = 0; row < rows; row++) {
      if (areNamed) json.startObject();
      json.singleLine = true;
      for (const writer of writers) {
        if (areNamed) json.string(writer.tensor.name);
        writer.writeFrom(1);
      }
      json.singleLine = false;
      if (areNamed) json.endObject();
    }
  json.endArray();
}

function writeColumns(json: PrettyJson, writers: readonly TensorWriter[]): void {
  json.string('outputs');
  const areNamed = writers.length > 1;
  if (areNamed) json.startObject();
  for (const writer of writers) {
    if (areNamed) json.string(writer.tensor.name);
    writer.writeFrom(0);
  }
  if (areNamed) json.endObject();
}

/** Elements turned into text at a time: few enough that the texts die young. */
const writtenAtOnce = 8192;

/** Writes a tensor's elements in order, each once. */
class TensorWriter {
  readonly tensor: Tensor;
  readonly #json: PrettyJson;
  readonly #elements: TypedElements | readonly Buffer[];
  readonly #isBytes: boolean;
  #next = 0;

  constructor(tensor: Tensor, json: PrettyJson) {
    const { datatype, name } = tensor;
    this.tensor = tensor;
    this.#json = json;
    if (datatype === 'FP16' || datatype === 'BF16' || datatype === 'UINT16') {
      throw new SkeinError('v1_output_type', { dtype: dataTypeOf(datatype).name });
    }
    this.#elements = datatype === 'BYTES' ? stringElements(tensor) : typedElements(tensor, datatype);
    this.#isBytes = datatype === 'BYTES' && name.endsWith('_bytes');
  }

  /** One number or text for each row: no lists inside. */
  get isFlat(): boolean {
    return this.tensor.shape.length === 1;
  }

  /** The next part of the tensor, from this dimension inward. */
  writeFrom(dimension: number): void {
    const { shape } = this.tensor;
    if (dimension >= shape.length) {
      this.write(this.#next, this.#next + 1);
      return;
    }
    const size = shape[dimension]!;
    this.#json.startArray();
    if (dimension === shape.length - 1) this.write(this.#next, this.#next + size);
    else for (let i = 0; i < size; i++) this.writeFrom(dimension + 1);
    this.#json.endArray();
  }

  write(start: number, end: number): void {
    this.#next = end;
    if (this.#isBytes) {
      for (let at = start; at < end; at++) this.#writeBase64(this.#elements[at] as Buffer);
      return;
    }
    for (let at = start; at < end; at += writtenAtOnce) {
      this.#writeTexts(at, Math.min(end, at + writtenAtOnce));
    }
  }

  #writeTexts(start: number, end: number): void {
    const texts: string[] = [];
    for (let at = start; at < end; at++) texts.push(this.#textOf(this.#elements[at]!));
    if (texts.length === 1) this.#json.raw(texts[0]!);
    else this.#json.rawAll(texts);
  }

  #textOf(element: number | bigint | Buffer): string {
    const { datatype } = this.tensor;
    if (datatype === 'FP32' || datatype === 'FP64') return decimalText(element as number, datatype);
    if (datatype === 'BOOL') return element === 0 ? 'false' : 'true';
    return datatype === 'BYTES' ? JSON.stringify((element as Buffer).toString('utf8')) : String(element);
  }

  #writeBase64(element: Buffer): void {
    this.#json.startObject();
    this.#json.string('b64');
    this.#json.string(element.toString('base64'));
    this.#json.endObject();
  }
}
