import { SkeinError } from '../../protocol/errors.ts';
import type { Signature, TensorSpec } from '../../protocol/tensors/tensor.ts';
import { longestReason } from './check-model-config.ts';
import type { ConfigTensor, ModelConfig } from './model-config.ts';
import { configNameOf } from './tensor-config.ts';

/** Whether a configuration fits the model it is for, as Triton's ONNX Runtime backend checks it, with its texts. */
export function checkSignature(config: ModelConfig, engine: Signature): void {
  const fail = (reason: string): never => {
    throw new SkeinError('config_mismatch', { reason: reason.slice(0, longestReason) });
  };
  checkInputNames(config, engine, fail);
  for (const input of config.inputs) {
    if (input.optional && config.maxBatchSize > 0) {
      const what = `optional input '${input.name}' is not supported for models that support batching`;
      fail(`unable to load model '${config.name}', ${what}`);
    }
    checkTensor(input, 'input', engine.inputs, config, fail);
  }
  for (const output of config.outputs) checkTensor(output, 'output', engine.outputs, config, fail);
}

type Fail = (reason: string) => never;

/** Every input that the model cannot do without must be listed; outputs may be left out. */
function checkInputNames(config: ModelConfig, engine: Signature, fail: Fail): void {
  const listed = new Set(config.inputs.map((input) => input.name));
  const missing = engine.inputs.filter((input) => input.optional !== true && !listed.has(input.name));
  if (missing.length === 0) return;
  const counts = `configuration expects ${config.inputs.length} inputs, model provides ${engine.inputs.length}`;
  const names = missing.map((input) => `'${input.name}'`).join(', ');
  fail(`unable to load model '${config.name}', ${counts}: ${names} must be listed`);
}

function checkTensor(
  tensor: ConfigTensor,
  side: 'input' | 'output',
  specs: readonly TensorSpec[],
  config: ModelConfig,
  fail: Fail,
): void {
  const spec = specs.find(({ name }) => name === tensor.name);
  if (spec === undefined) {
    const allowed = specs.map(({ name }) => name).sort();
    fail(`unexpected inference ${side} '${tensor.name}', allowed ${side}s are: ${allowed.join(', ')}`);
  }
  if (spec.datatype !== tensor.dataType) {
    const expected = `configuration expects datatype ${configNameOf(tensor.dataType)}`;
    fail(
      `unable to load model '${config.name}', ${expected} for ${side} '${tensor.name}', model provides TYPE_${spec.datatype}`,
    );
  }
  const dims = tensor.reshape ?? tensor.dims;
  if (spec.anyRank === true) return;
  if (spec.shape.length === 0 && config.maxBatchSize === 0) checkScalar(tensor.name, dims, config, fail);
  else checkDims(tensor.name, spec.shape, dims, side === 'output', config, fail);
}

/** A scalar is listed as [1], as a configuration has no empty `dims`. */
function checkScalar(tensor: string, dims: readonly number[], config: ModelConfig, fail: Fail): void {
  if (dims.every((dimension) => dimension === 1)) return;
  const rule = "should only provide 1 in the model configuration when the model doesn't support batching";
  const got = `Model configuration provided: ${shown(dims)}.`;
  fail(`unable to load model '${config.name}', scalar tensor '${tensor}', ${rule}. ${got}`);
}

/** A free dimension of the model admits any in the configuration of an input; outputs must agree exactly. */
function checkDims(
  tensor: string,
  model: readonly number[],
  dims: readonly number[],
  exact: boolean,
  config: ModelConfig,
  fail: Fail,
): void {
  const who = `model '${config.name}', tensor '${tensor}': `;
  const batched = config.maxBatchSize > 0;
  if (batched && model[0] !== -1) {
    const rule = 'the shape should have at least 1 dimension and the first dimension must be -1';
    fail(`${who}for the model to support batching ${rule}; but shape expected by the model is ${shown(model)}`);
  }
  const full = batched ? [-1, ...dims] : dims;
  const fits = (dimension: number, i: number) => dimension === full[i] || (dimension === -1 && !exact);
  if (model.length === full.length && model.every(fits)) return;
  const expects = `the model expects ${model.length} dimensions (shape ${shown(model)})`;
  const leading =
    'an initial batch dimension because max_batch_size > 0 followed by the explicit tensor shape, making complete ';
  const specifies = `the model configuration specifies ${full.length} dimensions (${batched ? leading : ''}shape ${shown(full)})`;
  fail(`${who}${expects} but ${specifies}`);
}

function shown(shape: readonly number[]): string {
  return `[${shape.join(',')}]`;
}
