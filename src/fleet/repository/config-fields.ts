import { enumOf, honoured, messageOf, part, refused, tuning } from './field-row.ts';
import { modelMetricsFields, optimizationFields, rateLimiterFields, secondaryDevice } from './tuning-fields.ts';

/**
 * Every field of Triton's `ModelConfig` (common/protobuf/model_config.proto), and what becomes of it here. A field that is
 * not in this table is refused by name: nothing that a user writes is ignored in silence.
 */

const list = { many: 'list' } as const;
const map = { many: 'map' } as const;

const dataTypes = enumOf('DataType', [
  'TYPE_INVALID',
  'TYPE_BOOL',
  'TYPE_UINT8',
  'TYPE_UINT16',
  'TYPE_UINT32',
  'TYPE_UINT64',
  'TYPE_INT8',
  'TYPE_INT16',
  'TYPE_INT32',
  'TYPE_INT64',
  'TYPE_FP16',
  'TYPE_FP32',
  'TYPE_FP64',
  'TYPE_STRING',
  'TYPE_BF16',
]);

const shapeTensor = refused('bool', 'shape tensors exist for TensorRT plans alone');
const nonLinear = refused('bool', 'non-linear formats exist for TensorRT plans alone');
const reshape = honoured(messageOf('ModelTensorReshape', { shape: part('int64', list) }), 'the shape the engine sees');

const inputFields = messageOf('ModelInput', {
  name: honoured('string', 'as the model names it'),
  data_type: honoured(dataTypes, 'must be that of the model'),
  format: honoured(
    enumOf('Format', ['FORMAT_NONE', 'FORMAT_NHWC', 'FORMAT_NCHW']),
    'shown to clients; needs three dims',
  ),
  dims: honoured('int64', 'must fit the model; the batch dimension is left out', list),
  reshape,
  is_shape_tensor: shapeTensor,
  allow_ragged_batch: refused('bool', 'requests of one batch must have one shape'),
  optional: honoured('bool', 'may be left out of a request'),
  is_non_linear_format_io: nonLinear,
});

const outputFields = messageOf('ModelOutput', {
  name: honoured('string', 'as the model names it'),
  data_type: honoured(dataTypes, 'must be that of the model'),
  dims: honoured('int64', 'must fit the model; the batch dimension is left out', list),
  reshape,
  label_filename: honoured('string', 'labels for the classification extension'),
  is_shape_tensor: shapeTensor,
  is_non_linear_format_io: nonLinear,
});

const instanceGroupFields = messageOf('ModelInstanceGroup', {
  name: honoured('string', 'shown to clients'),
  kind: honoured(
    enumOf('Kind', ['KIND_AUTO', 'KIND_GPU', 'KIND_CPU', 'KIND_MODEL']),
    'shown to clients; the setting `provider` decides what runs it',
  ),
  count: honoured('int32', 'runs at once; when it is left out the backend decides'),
  rate_limiter: tuning(rateLimiterFields, 'runs are limited by cores, not by named resources'),
  gpus: honoured('int32', 'shown to clients, and multiplies the count; the setting `provider-device` decides', list),
  secondary_devices: tuning(secondaryDevice, 'only TensorRT knows secondary devices', list),
  profile: tuning('string', 'only TensorRT knows profiles', list),
  passive: refused('bool', 'every instance takes requests; leave the group out instead'),
  host_policy: tuning('string', 'the cores of a backend are chosen when it is started'),
});

const queuePolicyFields = messageOf('ModelQueuePolicy', {
  timeout_action: honoured(enumOf('TimeoutAction', ['REJECT', 'DELAY']), 'what becomes of a request past its time'),
  default_timeout_microseconds: honoured('uint64', 'how long a request may queue; 0: for ever'),
  allow_timeout_override: honoured('bool', 'whether a request may shorten it'),
  max_queue_size: honoured('uint32', 'requests that may queue; 0: the setting max-queue-size'),
});

const dynamicBatchingFields = messageOf('ModelDynamicBatching', {
  preferred_batch_size: honoured('int32', 'sizes worth waiting for', list),
  max_queue_delay_microseconds: honoured('uint64', 'how long to wait for one of them'),
  preserve_ordering: honoured('bool', 'answers leave in the order of the requests'),
  priority_levels: honoured('uint64', '1 is the highest'),
  default_priority_level: honoured('uint64', 'of requests that name none'),
  default_queue_policy: honoured(queuePolicyFields, 'of every level without one of its own'),
  priority_queue_policy: honoured(queuePolicyFields, 'by level', map),
});

const warmupInputFields = messageOf('Input', {
  data_type: honoured(dataTypes, 'must be that of the model'),
  dims: honoured('int64', 'all of them fixed', list),
  zero_data: honoured('bool', 'zeros', { oneof: 'input_data_type' }),
  random_data: honoured('bool', 'random values', { oneof: 'input_data_type' }),
  input_data_file: honoured('string', "a file in the model's warmup directory", { oneof: 'input_data_type' }),
});

const policyChoice = { oneof: 'policy_choice' } as const;
const versionPolicyFields = messageOf('ModelVersionPolicy', {
  latest: honoured(messageOf('Latest', { num_versions: part('uint32') }), 'the highest numbers', policyChoice),
  all: honoured(messageOf('All', {}), 'every version', policyChoice),
  specific: honoured(messageOf('Specific', { versions: part('int64', list) }), 'those named', policyChoice),
});

const warmupFields = messageOf('ModelWarmup', {
  name: honoured('string', 'for logs'),
  batch_size: honoured('uint32', '0 skips the sample'),
  inputs: honoured(warmupInputFields, 'by name', map),
  count: honoured('uint32', 'how often; 0 is once'),
});

const scheduling = { oneof: 'scheduling_choice' } as const;

export const modelConfigFields = messageOf('ModelConfig', {
  name: honoured('string', 'must be the name of the directory'),
  platform: honoured('string', 'chooses the engine'),
  backend: honoured('string', 'chooses the engine'),
  runtime: refused('string', 'it names a shared library of Triton to load the model with'),
  version_policy: honoured(versionPolicyFields, 'which versions are served'),
  max_batch_size: honoured('int32', '0: the model has no batch dimension'),
  input: honoured(inputFields, 'checked against the model', list),
  output: honoured(outputFields, 'checked against the model', list),
  batch_input: refused('opaque', 'inputs that the server makes up from the batch are not made', list),
  batch_output: refused('opaque', 'outputs are cut by the batch dimension alone', list),
  optimization: honoured(optimizationFields, 'each of its fields only tunes'),
  dynamic_batching: honoured(dynamicBatchingFields, 'requests are joined to batches', scheduling),
  sequence_batching: refused('opaque', 'requests of a sequence are not kept on one instance', scheduling),
  ensemble_scheduling: refused('opaque', 'ensembles are not run', scheduling),
  instance_group: honoured(instanceGroupFields, 'how many runs at once, and where', list),
  default_model_filename: honoured('string', 'the file in the version directory'),
  cc_model_filenames: refused('string', 'files by compute capability are not told apart', map),
  metric_tags: tuning('string', 'metrics carry the name of the model alone', map),
  parameters: honoured(
    messageOf('ModelParameter', { string_value: part('string') }),
    'those that the engine knows',
    map,
  ),
  model_warmup: honoured(warmupFields, 'run before the first request', list),
  model_operations: refused('opaque', 'libraries of custom operations are not loaded'),
  model_transaction_policy: honoured(
    messageOf('ModelTransactionPolicy', { decoupled: refused('bool', 'every request has one answer') }),
    'one answer for each request',
  ),
  model_repository_agents: refused('opaque', 'agents, which check or fetch files, are not run'),
  response_cache: tuning(messageOf('ModelResponseCache', { enable: part('bool') }), 'answers are not cached'),
  model_metrics: tuning(modelMetricsFields, 'the buckets of histograms are those of the whole server'),
});
