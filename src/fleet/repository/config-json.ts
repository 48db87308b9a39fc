import { modelConfigFields } from './config-fields.ts';
import { plainQueuePolicy } from './dynamic-batching-config.ts';
import type { FieldRow, MessageType } from './field-row.ts';
import type {
  ConfigTensor,
  ConfigValue,
  DynamicBatching,
  InstanceGroup,
  ModelConfig,
  QueuePolicy,
  WarmupSample,
} from './model-config.ts';
import type { ConfigMessage } from './read-message.ts';
import { configNameOf } from './tensor-config.ts';

/**
 * A configuration as Triton serves it at `/v2/models/{model}/config`: protobuf names in the order of the protobuf
 * declaration, every scalar and list also where it has its default, messages only where they are set, 64-bit numbers as
 * numbers. Hand it to JSON.stringify.
 */
export function configToJson(config: ModelConfig): ConfigMessage {
  return withDefaults(messageOf(config), modelConfigFields);
}

function withDefaults(message: ConfigMessage, type: MessageType): ConfigMessage {
  const printed: Record<string, ConfigValue> = {};
  for (const [name, row] of Object.entries(type.fields)) {
    const value = Object.hasOwn(message, name) ? message[name] : undefined;
    const shown = value === undefined ? defaultOf(row) : printedValue(value, row);
    if (shown !== undefined) printed[name] = shown;
  }
  return printed;
}

function printedValue(value: ConfigValue, row: FieldRow): ConfigValue {
  const { type } = row;
  if (typeof type !== 'object' || type.kind !== 'message') return value;
  if (row.many === 'list') return (value as readonly ConfigMessage[]).map((item) => withDefaults(item, type));
  if (row.many === undefined) return withDefaults(value as ConfigMessage, type);
  return Object.fromEntries(
    Object.entries(value as ConfigMessage).map(([key, item]) => [key, withDefaults(item as ConfigMessage, type)]),
  );
}

function defaultOf({ type, many, oneof }: FieldRow): ConfigValue | undefined {
  if (many !== undefined) return many === 'list' ? [] : {};
  if (oneof !== undefined || type === 'opaque') return undefined;
  if (typeof type === 'object') return type.kind === 'enum' ? type.names[0] : undefined;
  return type === 'string' ? '' : type === 'bool' ? false : 0;
}

function messageOf(config: ModelConfig): ConfigMessage {
  const { versionPolicy, dynamicBatching, tuning } = config;
  const pinned = { input_pinned_memory: { enable: true }, output_pinned_memory: { enable: true } };
  return {
    ...tuning,
    name: config.name,
    platform: config.platform,
    backend: config.backend,
    runtime: config.runtime,
    version_policy:
      versionPolicy.kind === 'latest'
        ? { latest: { num_versions: versionPolicy.count } }
        : versionPolicy.kind === 'all'
          ? { all: {} }
          : { specific: { versions: versionPolicy.versions } },
    max_batch_size: config.maxBatchSize,
    input: config.inputs.map((input) => ({ ...tensorMessage(input), format: input.format, optional: input.optional })),
    output: config.outputs.map((output) => ({ ...tensorMessage(output), label_filename: output.labelFilename })),
    optimization: { ...pinned, ...(tuning['optimization'] as ConfigMessage | undefined) },
    ...(dynamicBatching !== undefined && { dynamic_batching: batchingMessage(dynamicBatching) }),
    instance_group: config.instanceGroups.map(groupMessage),
    default_model_filename: config.defaultModelFilename,
    parameters: Object.fromEntries(
      Object.entries(config.parameters).map(([key, value]) => [key, { string_value: value }]),
    ),
    model_warmup: config.modelWarmup.map(warmupMessage),
  };
}

function tensorMessage({ name, dataType, dims, reshape }: ConfigTensor): ConfigMessage {
  return {
    name,
    data_type: configNameOf(dataType),
    // Written back into a config.pbtxt it must list something.
    dims: dims.length === 0 ? [1] : dims,
    ...(reshape !== undefined && { reshape: { shape: reshape } }),
  };
}

function groupMessage({ name, kind, count, gpus, tuning }: InstanceGroup): ConfigMessage {
  return { ...tuning, name, kind, count, gpus };
}

function batchingMessage(batching: DynamicBatching): ConfigMessage {
  const { defaultQueuePolicy, priorityQueuePolicy } = batching;
  return {
    preferred_batch_size: batching.preferredBatchSizes,
    max_queue_delay_microseconds: batching.maxQueueDelayUs,
    preserve_ordering: batching.preserveOrdering,
    priority_levels: batching.priorityLevels,
    default_priority_level: batching.defaultPriorityLevel,
    ...(defaultQueuePolicy !== plainQueuePolicy && { default_queue_policy: policyMessage(defaultQueuePolicy) }),
    priority_queue_policy: Object.fromEntries(
      [...priorityQueuePolicy].map(([level, policy]) => [level, policyMessage(policy)]),
    ),
  };
}

function policyMessage(policy: QueuePolicy): ConfigMessage {
  return {
    timeout_action: policy.timeoutAction,
    default_timeout_microseconds: policy.defaultTimeoutUs,
    allow_timeout_override: policy.allowTimeoutOverride,
    max_queue_size: policy.maxQueueSize,
  };
}

function warmupMessage({ name, batchSize, count, inputs }: WarmupSample): ConfigMessage {
  const data = { zero: { zero_data: true }, random: { random_data: true } } as const;
  const messages = inputs.map((input) => [
    input.name,
    {
      data_type: configNameOf(input.dataType),
      dims: input.dims,
      ...(input.data.kind === 'file' ? { input_data_file: input.data.file } : data[input.data.kind]),
    },
  ]);
  return { name, batch_size: batchSize, count, inputs: Object.fromEntries(messages) };
}
