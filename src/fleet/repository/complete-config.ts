import { SkeinError } from '../../protocol/errors.ts';
import type { Signature, TensorSpec } from '../../protocol/tensors/tensor.ts';
import { checkModelConfig } from './check-model-config.ts';
import { checkSignature } from './check-signature.ts';
import { type CompletionSettings, completeInstanceGroups } from './complete-instances.ts';
import { plainDynamicBatching } from './dynamic-batching-config.ts';
import { modelBackend } from './model-backend.ts';
import type { ConfigInput, ConfigOutput, ConfigTensor, DynamicBatching, ModelConfig } from './model-config.ts';
import type { CompletedModel, CompletedSignature, ModelSchema } from './model-schema.ts';
import { defaultModelConfig } from './parse-model-config.ts';
import { type Reshape, reversed } from './reshape.ts';

/** What the engine says of a model that it has loaded. */
interface LoadedFacts {
  /** Full shapes, as the engine takes them. */
  readonly signature: Signature;
  /** Base name of the model's file, which decides where the configuration names no backend. */
  readonly file: string;
}

/**
 * Brings a configuration and the model itself together, by Triton's rules for ONNX models (auto-complete).
 *
 * Where the configuration does not list both inputs and outputs, the model's own are taken, and a model all of whose
 * tensors have a free first dimension batches: up to `max_batch_size`, or the default where that is 0 or missing, with
 * dynamic batching. A configuration that lists both is only checked. Throws `config_mismatch` where it contradicts the model.
 */
export function completeConfig(
  written: ModelConfig | undefined,
  model: string,
  loaded: LoadedFacts,
  settings: CompletionSettings,
): CompletedModel {
  const config = written ?? defaultModelConfig(model);
  const isListed = config.inputs.length > 0 && config.outputs.length > 0;
  const maxBatchSize = isListed ? config.maxBatchSize : batchSizeOf(config, loaded.signature, settings);
  checkModelConfig(config, maxBatchSize);
  const { backend, platform } = modelBackend(config, loaded.file);
  const isAutomatic = !isListed && maxBatchSize > 1;
  const batching = config.dynamicBatching ?? (isAutomatic ? plainDynamicBatching : undefined);
  const completed: ModelConfig = Object.freeze({
    ...config,
    ...tensorsOf(config, loaded.signature, maxBatchSize),
    backend,
    platform,
    maxBatchSize,
    instanceGroups: completeInstanceGroups(config.instanceGroups, model, settings),
    defaultModelFilename: config.defaultModelFilename || loaded.file,
    ...(batching !== undefined && { dynamicBatching: withPreferredSize(batching, maxBatchSize) }),
  });
  checkSignature(completed, loaded.signature);
  return { config: completed, ...signatureOf(completed, config, loaded.signature) };
}

/**
 * A signature that a completed configuration does not describe: the model's own tensors, in batches where the model
 * batches and all of them have a free first dimension.
 */
export function completeFurtherSignature(config: ModelConfig, engine: Signature): CompletedSignature {
  const maxBatchSize = canBatch(engine) ? config.maxBatchSize : 0;
  const unlisted = { ...config, inputs: [], outputs: [] };
  const completed = { ...config, ...tensorsOf(unlisted, engine, maxBatchSize), maxBatchSize };
  return signatureOf(completed, unlisted, engine);
}

function signatureOf(completed: ModelConfig, written: ModelConfig, engine: Signature): CompletedSignature {
  return { schema: schemaOf(completed, written, engine), ...reshapesOf(completed, engine) };
}

/** What was listed stays; a side that was not is the model's own. Batches have no way to leave an optional input out. */
function tensorsOf(
  { inputs, outputs }: ModelConfig,
  engine: Signature,
  maxBatchSize: number,
): Pick<ModelConfig, 'inputs' | 'outputs'> {
  const ownInputs = engine.inputs.filter((input) => input.optional !== true || maxBatchSize === 0);
  const input = (spec: TensorSpec): ConfigInput =>
    Object.freeze({ ...tensorOf(spec, maxBatchSize), format: 'FORMAT_NONE', optional: spec.optional === true });
  const output = (spec: TensorSpec): ConfigOutput =>
    Object.freeze({ ...tensorOf(spec, maxBatchSize), labelFilename: '' });
  return {
    inputs: inputs.length > 0 ? inputs : Object.freeze(ownInputs.map(input)),
    outputs: outputs.length > 0 ? outputs : Object.freeze(engine.outputs.map(output)),
  };
}

/** The largest batch of a model whose tensors are taken from the model itself. */
function batchSizeOf({ maxBatchSize, name }: ModelConfig, signature: Signature, settings: CompletionSettings): number {
  if (canBatch(signature)) return maxBatchSize === 0 ? settings.defaultMaxBatchSize : maxBatchSize;
  if (maxBatchSize === 0) return 0;
  const why = 'model does not support batching while non-zero max_batch_size is specified';
  throw new SkeinError('config_mismatch', { reason: `autofill failed for model '${name}': ${why}` });
}

function canBatch({ inputs, outputs }: Signature): boolean {
  const required = [...inputs.filter((input) => input.optional !== true), ...outputs];
  return required.every(({ shape, anyRank }) => shape[0] === -1 && anyRank !== true);
}

/** A written configuration has no empty `dims`: in a batch a scalar is [1] and reshaped, as in Triton; alone it is []. */
function tensorOf({ name, datatype, shape }: TensorSpec, maxBatchSize: number): ConfigTensor {
  const dims = maxBatchSize > 0 ? shape.slice(1) : shape;
  const tensor = { name, dataType: datatype, dims: Object.freeze([...dims]) };
  if (dims.length > 0 || maxBatchSize === 0) return tensor;
  return { ...tensor, dims: Object.freeze([1]), reshape: Object.freeze([]) };
}

function withPreferredSize(batching: DynamicBatching, maxBatchSize: number): DynamicBatching {
  if (batching.preferredBatchSizes.length > 0 || maxBatchSize === 0) return batching;
  return Object.freeze({ ...batching, preferredBatchSizes: Object.freeze([maxBatchSize]) });
}

/** Shapes that were not written stay as free as the model's own. */
function schemaOf(
  { maxBatchSize, inputs, outputs }: ModelConfig,
  written: ModelConfig,
  engine: Signature,
): ModelSchema {
  const batch = maxBatchSize > 0 ? [-1] : [];
  const spec = ({ name, dataType, dims }: ConfigTensor, isWritten: boolean, own: readonly TensorSpec[]): TensorSpec => {
    const isFree = !isWritten && own.some((one) => one.name === name && one.anyRank === true);
    return { name, datatype: dataType, shape: [...batch, ...dims], ...(isFree && { anyRank: true }) };
  };
  const inputOf = (input: ConfigInput): TensorSpec => {
    const found = spec(input, written.inputs.length > 0, engine.inputs);
    return input.optional ? { ...found, optional: true } : found;
  };
  return {
    maxBatchSize,
    signature: {
      inputs: inputs.map(inputOf),
      outputs: outputs.map((output) => spec(output, written.outputs.length > 0, engine.outputs)),
    },
  };
}

/** Where clients see another shape than the engine: a written `reshape`, or a scalar, which may come as [1]. */
function reshapesOf(config: ModelConfig, engine: Signature): Pick<CompletedModel, 'inputReshapes' | 'outputReshapes'> {
  const batched = config.maxBatchSize > 0;
  const ranks = (specs: readonly TensorSpec[]) => new Map(specs.map(({ name, shape }) => [name, shape.length]));
  const reshapes = (tensors: readonly ConfigTensor[], rankOf: ReadonlyMap<string, number>) =>
    tensors.flatMap(({ name, dims, reshape }): [string, Reshape][] => {
      const seen = reshape ?? (rankOf.get(name) === 0 ? [] : undefined);
      return seen === undefined ? [] : [[name, { batched, from: dims, to: seen }]];
    });
  return {
    inputReshapes: new Map(reshapes(config.inputs, ranks(engine.inputs))),
    outputReshapes: new Map(
      reshapes(config.outputs, ranks(engine.outputs)).map(([name, reshape]) => [name, reversed(reshape)]),
    ),
  };
}
