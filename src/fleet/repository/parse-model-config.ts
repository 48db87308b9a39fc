import { SkeinError } from '../../protocol/errors.ts';
import { checkModelConfig } from './check-model-config.ts';
import { modelConfigFields } from './config-fields.ts';
import type { ConfigSource, MessageNode } from './config-tree.ts';
import { readDynamicBatching } from './dynamic-batching-config.ts';
import { readJsonTree } from './json-tree.ts';
import { MessageView } from './message-view.ts';
import type { ConfigWarning, InstanceGroup, ModelConfig, ParsedConfig, VersionPolicy } from './model-config.ts';
import { readMessage } from './read-message.ts';
import { readConfigInput, readConfigOutput, readWarmupSample } from './tensor-config.ts';
import { readTextProto } from './text-proto.ts';

const untouched = [
  'optimization',
  'metric_tags',
  'response_cache',
  'model_metrics',
  'model_transaction_policy',
] as const;

/**
 * The text of a `config.pbtxt`, read, checked and frozen. Throws `config_malformed` or `config_mismatch` for what is wrong,
 * `config_refused` for a field that is not supported. `model` is the name of its directory.
 */
export function parseModelConfig(text: string, model: string): ParsedConfig {
  return readModelConfig(readTextProto(text, model), { model, form: 'text' });
}

/** The same from JSON, as the `config` parameter of a repository load call has it. */
export function parseModelConfigJson(text: string, model: string): ParsedConfig {
  return readModelConfig(readJsonTree(text, model), { model, form: 'json' });
}

/** What holds for a model without a configuration, before it is completed from the model itself. */
export function defaultModelConfig(model: string): ModelConfig {
  return buildModelConfig(new MessageView({}), new Set(), model);
}

function readModelConfig(tree: MessageNode, source: ConfigSource): ParsedConfig {
  const warnings: ConfigWarning[] = [];
  const message = readMessage(tree, modelConfigFields, source, (warning) => warnings.push(warning));
  const view = new MessageView(message);
  const config = buildModelConfig(view, new Set(Object.keys(message)), source.model);
  const name = view.text('name');
  if (name !== '' && name !== source.model) {
    throw new SkeinError('config_mismatch', {
      reason: `unexpected directory name '${source.model}' for model '${name.slice(0, 255)}', directory name must equal model name`,
    });
  }
  checkModelConfig(config, config.maxBatchSize > 0 ? config.maxBatchSize : undefined);
  return { config, warnings };
}

function buildModelConfig(view: MessageView, written: ReadonlySet<string>, name: string): ModelConfig {
  const parameters = view.entries('parameters').map(([key, value]) => [key, value.text('string_value')] as const);
  return Object.freeze({
    name,
    platform: view.text('platform'),
    backend: view.text('backend'),
    runtime: '',
    versionPolicy: readVersionPolicy(view.message('version_policy')),
    maxBatchSize: view.count('max_batch_size'),
    inputs: Object.freeze(view.messages('input').map(readConfigInput)),
    outputs: Object.freeze(view.messages('output').map(readConfigOutput)),
    instanceGroups: Object.freeze(view.messages('instance_group').map(readInstanceGroup)),
    ...(view.has('dynamic_batching') && { dynamicBatching: readDynamicBatching(view.message('dynamic_batching')) }),
    parameters: Object.freeze(Object.fromEntries(parameters)),
    modelWarmup: Object.freeze(view.messages('model_warmup').map(readWarmupSample)),
    defaultModelFilename: view.text('default_model_filename'),
    tuning: Object.freeze(view.pick(untouched)),
    written,
  });
}

/** Triton's default is the highest version alone; its `latest` without a number means the same. */
function readVersionPolicy(view: MessageView): VersionPolicy {
  if (view.has('all')) return Object.freeze({ kind: 'all' });
  if (view.has('specific')) {
    return Object.freeze({ kind: 'specific', versions: Object.freeze(view.message('specific').counts('versions')) });
  }
  return Object.freeze({ kind: 'latest', count: view.message('latest').count('num_versions') || 1 });
}

function readInstanceGroup(view: MessageView): InstanceGroup {
  return Object.freeze({
    name: view.text('name'),
    kind: view.choice('kind', 'KIND_AUTO'),
    count: view.count('count'),
    countWritten: view.count('count') > 0,
    gpus: Object.freeze(view.counts('gpus')),
    tuning: Object.freeze(view.pick(['rate_limiter', 'secondary_devices', 'profile', 'host_policy'])),
  });
}
