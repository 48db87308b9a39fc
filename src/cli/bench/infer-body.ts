import { SkeinError } from '../../protocol/errors.ts';
import type { ModelMetadata, TensorMetadata } from '../../protocol/v2/model-metadata.ts';
import type { BodyKind } from './bench-flags.ts';
import { type DataKind, elementBytesOf, inputValues } from './input-values.ts';
import { predictInputs } from './predict-message.ts';
import { type Random, seededRandom } from './random.ts';

export interface BodyWish {
  readonly kind: BodyKind;
  readonly batch: number;
  /** By input. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly data: DataKind;
  readonly seed: number;
}

/** A request but for what names the model: the body of a V2 request, or the inputs of a Predict message. */
export interface InferBody {
  readonly bytes: Buffer;
  /** Length of the JSON in front of binary tensors; undefined where all is JSON. */
  readonly jsonBytes: number | undefined;
  /** Inferences that it is worth. */
  readonly rows: number;
}

/** More elements than this are taken for a mistake in a shape: a body of a gigabyte. */
const maxElements = 2 ** 28;

/** A request that fits what the model says of itself; throws `usage` where it leaves open what only the user knows. */
export function inferBody(model: ModelMetadata, wish: BodyWish): InferBody {
  checkNames(model, wish);
  const random = seededRandom(wish.seed);
  const shapes = model.inputs.map((input) => shapeOf(model.name, input, wish));
  const inputs = model.inputs.map((input, i) => tensorOf(model.name, input, shapes[i]!, wish, random));
  const isBatched = model.inputs[0]?.shape[0] === -1;
  const rows = isBatched ? (shapes[0]?.[0] ?? 1) : 1;
  if (wish.kind === 'json') {
    return {
      bytes: Buffer.from(JSON.stringify({ inputs: inputs.map(({ json }) => json) })),
      jsonBytes: undefined,
      rows,
    };
  }
  if (wish.kind === 'grpc') {
    const message = predictInputs(inputs.map(({ json, bytes, values }) => ({ ...json, bytes, values })));
    return { bytes: message, jsonBytes: undefined, rows };
  }
  const json = JSON.stringify({
    inputs: inputs.map(({ json: { data: _, ...input }, bytes }) => ({
      ...input,
      parameters: { binary_data_size: bytes.byteLength },
    })),
    parameters: { binary_data_output: true },
  });
  const tensors = inputs.map(({ bytes }) => bytes);
  return { bytes: Buffer.concat([Buffer.from(json), ...tensors]), jsonBytes: Buffer.byteLength(json), rows };
}

function tensorOf(
  model: string,
  { name, datatype }: TensorMetadata,
  shape: readonly number[],
  { kind, data }: BodyWish,
  random: Random,
) {
  if (kind === 'json' && (datatype === 'FP16' || datatype === 'BF16')) {
    throw usage(`input ${name} of ${model} is ${datatype}, which JSON cannot carry; take --body binary`);
  }
  const count = shape.reduce((product, size) => product * size, 1);
  if (count > maxElements) throw usage(`input ${name} of ${model} would have ${count} elements with shape [${shape}]`);
  const values = inputValues(datatype, count, data, random);
  const bytes = kind !== 'json' ? elementBytesOf(datatype, values) : Buffer.alloc(0);
  const written = datatype === 'BOOL' ? values.map((value) => value === 1) : values;
  return { json: { name, datatype, shape, data: written }, bytes, values };
}

/** The shape to send: as wished, or as the metadata has it with the batch in the first place. */
function shapeOf(model: string, { name, shape }: TensorMetadata, { batch, shapes }: BodyWish): readonly number[] {
  const isBatched = shape[0] === -1;
  if (batch > 1 && !isBatched) {
    throw usage(
      `--batch ${batch}: input ${name} of ${model} has the fixed shape [${shape}], which leaves no place for a batch`,
    );
  }
  const wished = shapes.get(name);
  const full = wished?.length === shape.length - 1 && isBatched ? [batch, ...wished] : wished;
  if (full !== undefined) {
    if (full.length === shape.length && shape.every((size, i) => size === -1 || size === full[i])) return full;
    throw usage(`--shape ${name}=${wished}: ${model} takes [${shape}] there (-1: any size)`);
  }
  const filled = isBatched ? [batch, ...shape.slice(1)] : shape;
  if (!filled.includes(-1)) return filled;
  const example = filled.map((size) => (size === -1 ? 64 : size));
  throw usage(
    `input ${name} of ${model} has the shape [${shape}]: say what to send for each -1, as in --shape ${name}=${example}`,
  );
}

function checkNames({ name, inputs }: ModelMetadata, { shapes }: BodyWish): void {
  const known = inputs.map((input) => input.name);
  for (const wished of shapes.keys()) {
    if (!known.includes(wished))
      throw usage(`--shape ${wished}: ${name} has no such input; it has ${known.join(', ')}`);
  }
}

function usage(reason: string): SkeinError {
  return new SkeinError('usage', { reason });
}
