import { enumOf, messageOf, part, tuning } from './field-row.ts';

/** Messages of the configuration that steer Triton's own machinery: read so that they can be shown again, never obeyed. */

const list = { many: 'list' } as const;
const map = { many: 'map' } as const;

const graphShape = messageOf('Shape', { dim: part('int64', list) });
const graphBound = messageOf('LowerBound', { batch_size: part('int32'), input: part(graphShape, map) });
const graphSpec = messageOf('GraphSpec', {
  batch_size: part('int32'),
  input: part(graphShape, map),
  graph_lower_bound: part(graphBound),
});
const accelerator = messageOf('Accelerator', { name: part('string'), parameters: part('string', map) });
const pinnedMemory = messageOf('PinnedMemoryBuffer', { enable: part('bool') });

export const optimizationFields = messageOf('ModelOptimizationPolicy', {
  graph: tuning(messageOf('Graph', { level: part('int32') }), 'graphs are always optimised as far as the engine can'),
  priority: tuning(
    enumOf('ModelPriority', ['PRIORITY_DEFAULT', 'PRIORITY_MAX', 'PRIORITY_MIN']),
    'cores are shared out by demand; models have no priority over each other',
  ),
  cuda: tuning(
    messageOf('Cuda', {
      graphs: part('bool'),
      busy_wait_events: part('bool'),
      graph_spec: part(graphSpec, list),
      output_copy_stream: part('bool'),
    }),
    'CUDA graphs and streams are left to the execution provider',
  ),
  execution_accelerators: tuning(
    messageOf('ExecutionAccelerators', {
      gpu_execution_accelerator: part(accelerator, list),
      cpu_execution_accelerator: part(accelerator, list),
    }),
    'execution providers are chosen by the settings of the backend, for all its models',
  ),
  input_pinned_memory: tuning(pinnedMemory, 'buffers are not pinned', { neutral: { enable: true } }),
  output_pinned_memory: tuning(pinnedMemory, 'buffers are not pinned', { neutral: { enable: true } }),
  gather_kernel_buffer_threshold: tuning('uint32', 'inputs are gathered by copying once'),
  eager_batching: tuning('bool', 'batches are formed at the moment they can run'),
});

export const rateLimiterFields = messageOf('ModelRateLimiter', {
  resources: part(messageOf('Resource', { name: part('string'), global: part('bool'), count: part('uint32') }), list),
  priority: part('uint32'),
});

export const secondaryDevice = messageOf('SecondaryDevice', {
  kind: part(enumOf('SecondaryDeviceKind', ['KIND_NVDLA'])),
  device_id: part('int64'),
});

export const modelMetricsFields = messageOf('ModelMetrics', {
  metric_control: part(
    messageOf('MetricControl', {
      metric_identifier: part(messageOf('MetricIdentifier', { family: part('string') })),
      histogram_options: part(messageOf('HistogramOptions', { buckets: part('double', list) }), {
        oneof: 'metric_options',
      }),
    }),
    list,
  ),
});
