import { SkeinError } from '../../protocol/errors.ts';
import { isDatatype } from '../../protocol/tensors/datatype.ts';
import { checkDynamicBatching } from './check-dynamic-batching.ts';
import type { ConfigTensor, ModelConfig } from './model-config.ts';
import { sameElementCount } from './reshape.ts';

/** Names are quoted in reasons and may be as long as the whole text. */
export const longestReason = 2_000;

/**
 * What Triton checks of a configuration before it looks at the model, with its texts (core/src/model_config_utils.cc).
 * File names are checked here and not there: none may lead out of the model's directory.
 *
 * `largest`: the largest batch; undefined while it is still to come from the model, which leaves out what depends on it.
 */
export function checkModelConfig(config: ModelConfig, largest: number | undefined): void {
  const fail = (reason: string): never => {
    throw new SkeinError('config_mismatch', { reason: `${reason.slice(0, longestReason)} for ${config.name}` });
  };
  if (config.maxBatchSize < 0) fail("'max_batch_size' must be non-negative value");
  for (const input of config.inputs) {
    checkTensor(input, largest, 'model input ', fail);
    if (input.format !== 'FORMAT_NONE' && input.dims.length !== 3) fail('model input NHWC/NCHW require 3 dims');
  }
  for (const output of config.outputs) checkTensor(output, largest, 'model output ', fail);
  checkNamesDiffer(config, fail);
  if (config.dynamicBatching !== undefined) checkDynamicBatching(config.dynamicBatching, largest, fail);
  checkInstanceGroups(config, fail);
  checkFileNames(config, fail);
  checkWarmup(config, fail);
}

/** Ends the check: throws a SkeinError that names the model. */
type Fail = (reason: string) => never;

function checkTensor(tensor: ConfigTensor, largest: number | undefined, what: string, fail: Fail): void {
  if (tensor.name === '') fail(`${what}must specify 'name'`);
  const named = `${what}'${tensor.name}' `;
  if (!isDatatype(tensor.dataType)) fail(`${named}must specify 'data_type'`);
  if (tensor.dims.length === 0) fail(`${named}must specify 'dims'`);
  if (tensor.dims.some(isNoDimension)) {
    fail(`${named}dimension must be integer >= 1, or -1 to indicate a variable-size dimension`);
  }
  const { reshape } = tensor;
  if (reshape === undefined) return;
  if (reshape.length === 0 && largest === 0) {
    fail(`${named}cannot have empty reshape for non-batching model as scalar tensors are not supported`);
  }
  if (reshape.some(isNoDimension)) {
    fail(`${named}reshape dimensions must be integer >= 1, or -1 to indicate a variable-size dimension`);
  }
  if (!sameElementCount(tensor.dims, reshape)) fail(`${named}has different size for dims and reshape`);
}

function isNoDimension(dimension: number): boolean {
  return dimension < 1 && dimension !== -1;
}

function checkNamesDiffer(config: ModelConfig, fail: Fail): void {
  for (const [what, tensors] of [
    ['input', config.inputs],
    ['output', config.outputs],
  ] as const) {
    const seen = new Set<string>();
    for (const { name } of tensors) {
      if (seen.has(name)) fail(`model ${what} '${name}' is specified twice`);
      seen.add(name);
    }
  }
}

/** Far more than there are cores; each is a run that may be under way. */
const mostInstances = 1_024;

function checkInstanceGroups(config: ModelConfig, fail: Fail): void {
  for (const { name, kind, count, gpus } of config.instanceGroups) {
    if (count < 0 || count > mostInstances)
      fail(`instance group '${name}' must have a count from 1 to ${mostInstances}`);
    if (gpus.some((gpu) => gpu < 0)) fail(`instance group '${name}' names a negative GPU`);
    if (gpus.length > 0 && (kind === 'KIND_CPU' || kind === 'KIND_MODEL')) {
      fail(`instance group '${name}' has kind ${kind} but specifies one or more GPUs,`);
    }
  }
}

function checkFileNames(config: ModelConfig, fail: Fail): void {
  const check = (field: string, file: string) => {
    if (file !== '' && leadsOut(file)) fail(`${field} '${file}' must be a path inside the directory of the model,`);
  };
  check('default_model_filename', config.defaultModelFilename);
  for (const { labelFilename } of config.outputs) check('label_filename', labelFilename);
  for (const { inputs } of config.modelWarmup) {
    for (const { data } of inputs) if (data.kind === 'file') check('input_data_file', data.file);
  }
}

function leadsOut(file: string): boolean {
  return file.startsWith('/') || file.includes('\0') || file.split('/').includes('..');
}

function checkWarmup(config: ModelConfig, fail: Fail): void {
  for (const sample of config.modelWarmup) {
    for (const { name, dataType, dims } of sample.inputs) {
      const named = `warmup sample '${sample.name}' input '${name}'`;
      if (!isDatatype(dataType)) fail(`${named} must specify 'data_type'`);
      if (dims.some((dimension) => dimension < 1)) {
        fail(`${named}: warmup setting expects all variable-size dimensions are specified,`);
      }
    }
  }
}
