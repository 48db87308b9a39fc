import { type ErrorCode, type ErrorFacts, SkeinError } from '../errors.ts';
import { elementBytes } from '../tensors/datatype.ts';
import { elementCount, type Tensor, type TensorSpec } from '../tensors/tensor.ts';
import { checkStrings } from './check-strings.ts';
import { excerpt } from './excerpt.ts';
import type { RequestSchema } from './infer-request.ts';
import { shapeText } from './read-shape.ts';

interface CheckedInputs {
  /** In the model's order; optional inputs that were left out are not here. */
  readonly inputs: readonly Tensor[];
  readonly batchSize: number;
}

/** An error about a request of this id: the dialects write the id before the text. */
type Refuse = (code: ErrorCode, facts: ErrorFacts) => SkeinError;

/**
 * Whether the model takes these tensors, in every dialect the same. The order of the checks is that of Triton's core:
 * number and names, batch, then each input's datatype, shape and bytes. Triton walks the inputs last first, and so do the
 * texts where several are wrong.
 */
export function checkInputs(tensors: readonly Tensor[], schema: RequestSchema, requestId?: string): CheckedInputs {
  const id = requestId === undefined || requestId === '' ? {} : { requestId };
  const refuse: Refuse = (code, facts) => new SkeinError(code, { model: schema.model, ...facts, ...id });
  const byName = new Map<string, Tensor>();
  for (const tensor of tensors) {
    if (byName.has(tensor.name)) throw refuse('input_twice', { input: excerpt(tensor.name) });
    byName.set(tensor.name, tensor);
  }
  const specs = matchSpecs(tensors, byName, schema, refuse);
  const batchSize = checkBatch(tensors, schema, refuse);
  for (let i = tensors.length - 1; i >= 0; i--) checkTensor(tensors[i]!, specs[i]!, schema, refuse);
  if (batchSize === 0) throw refuse('batch_empty', {});
  return { inputs: inModelOrder(tensors, specs, schema), batchSize };
}

/** What the model declares of each tensor. */
function matchSpecs(
  tensors: readonly Tensor[],
  byName: ReadonlyMap<string, Tensor>,
  schema: RequestSchema,
  refuse: Refuse,
): TensorSpec[] {
  const declared = schema.signature.inputs;
  const missing = declared.filter((spec) => spec.optional !== true && !byName.has(spec.name));
  const required = declared.filter((spec) => spec.optional !== true).length;
  const wrongCount = tensors.length < required || tensors.length > declared.length;
  const specs: TensorSpec[] = [];
  for (let i = tensors.length - 1; i >= 0 && !wrongCount; i--) {
    const spec = declared.find(({ name }) => name === tensors[i]!.name);
    if (spec === undefined) {
      const known = nameList(declared.map(({ name }) => name));
      throw new SkeinError('input_unknown', { input: excerpt(tensors[i]!.name), model: schema.model, declared: known });
    }
    specs[i] = spec;
  }
  if (wrongCount || missing.length > 0) {
    const between = `number of inputs between ${required} and ${declared.length}`;
    const names = tensors.map(({ name }) => name).reverse();
    throw refuse('input_count', {
      expected: required === declared.length ? `${required} inputs` : between,
      got: tensors.length,
      names: nameList(names),
      missing: nameList(missing.map(({ name }) => name)),
    });
  }
  return specs;
}

/** In quotes, without spaces, as Triton lists them. */
export function nameList(names: readonly string[]): string {
  return excerpt(names.map((name) => `'${name}'`).join(','));
}

/** The rows of dimension 0, which all inputs share; 1 for a model that does not batch. */
function checkBatch(tensors: readonly Tensor[], schema: RequestSchema, refuse: Refuse): number {
  const { maxBatchSize } = schema;
  if (maxBatchSize === 0 || tensors.length === 0) return 1;
  let batchSize: number | undefined;
  for (let i = tensors.length - 1; i >= 0; i--) {
    const { name, shape } = tensors[i]!;
    if (shape.length === 0) throw refuse('batch_dimension_missing', { input: excerpt(name) });
    batchSize ??= shape[0]!;
    if (shape[0] !== batchSize) throw refuse('batch_mismatch', { input: excerpt(name) });
  }
  if (batchSize! > maxBatchSize) throw refuse('batch_too_large', { maxBatchSize, got: batchSize! });
  return batchSize!;
}

const batchNote =
  ' NOTE: Setting a non-zero max_batch_size in the model config requires a batch dimension to be prepended to each input shape. If you want to specify the full shape including the batch dim in your input dims config, try setting max_batch_size to zero. See the model configuration docs for more info on max_batch_size.';

function checkTensor(tensor: Tensor, spec: TensorSpec, schema: RequestSchema, refuse: Refuse): void {
  const { name, datatype, shape, byteLength } = tensor;
  if (datatype !== spec.datatype) {
    throw refuse('input_datatype', { input: name, got: datatype, expected: spec.datatype });
  }
  if (spec.anyRank !== true && !fits(shape, spec.shape)) {
    const note = schema.maxBatchSize > 0 ? batchNote : '';
    throw refuse('input_shape', { input: name, expected: shapeText(spec.shape), got: shapeText(shape), note });
  }
  if (shape.some((size) => size < 0)) throw refuse('input_shape_open', { input: name, got: shapeText(shape) });
  // an empty batch is measured as one row, and so refused unless its rows have no bytes either
  const empty = schema.maxBatchSize > 0 && shape[0] === 0;
  const count = elementCount(empty ? [1, ...shape.slice(1)] : shape);
  if (datatype === 'BYTES') {
    checkStrings(tensor, count, refuse);
    return;
  }
  const expected = count * elementBytes[datatype];
  if (byteLength !== expected) throw refuse('input_bytes', { input: name, expected: whole(expected), got: byteLength });
}

/** A scalar may come as [1], the form that Triton wants. */
function fits(shape: readonly number[], declared: readonly number[]): boolean {
  if (declared.length === 0 && shape.length === 1) return shape[0] === 1;
  return shape.length === declared.length && declared.every((size, i) => size === -1 || size === shape[i]);
}

/** A number of bytes without an exponent. */
function whole(value: number): string {
  return BigInt(value).toString();
}

function inModelOrder(
  tensors: readonly Tensor[],
  specs: readonly TensorSpec[],
  schema: RequestSchema,
): readonly Tensor[] {
  const declared = schema.signature.inputs;
  if (specs.every((spec, i) => spec === declared[i])) return tensors;
  return declared.flatMap((spec) => tensors[specs.indexOf(spec)] ?? []);
}
