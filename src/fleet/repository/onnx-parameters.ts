import { SkeinError } from '../../protocol/errors.ts';
import type { ConfigWarning } from './model-config.ts';

/** What becomes of each `parameters` key of Triton's ONNX Runtime backend; in Triton they are free-form for the backend. */
const keys: Readonly<Record<string, { readonly support: 'honoured' | 'tuning'; readonly note: string }>> = {
  intra_op_thread_count: { support: 'honoured', note: 'threads of one run; 0 leaves it to the backend' },
  inter_op_thread_count: { support: 'tuning', note: 'the operators of one run follow each other' },
  execution_mode: { support: 'tuning', note: 'the operators of one run follow each other' },
  enable_mem_arena: { support: 'tuning', note: 'all models of a backend share one arena' },
  enable_mem_pattern: { support: 'tuning', note: 'memory patterns are left to the engine' },
  'memory.enable_memory_arena_shrinkage': { support: 'tuning', note: 'memory is given back when a model leaves' },
  'session.use_device_allocator_for_initializers': { support: 'tuning', note: 'weights are mapped from the cache' },
  cudnn_conv_algo_search: { support: 'tuning', note: 'left to the execution provider' },
  gpu_mem_limit: { support: 'tuning', note: 'the limit is a setting of the backend' },
  arena_extend_strategy: { support: 'tuning', note: 'left to the execution provider' },
  do_copy_in_default_stream: { support: 'tuning', note: 'left to the execution provider' },
};

/** Names of the keys and what becomes of them, for the documentation. */
export const onnxParameterKeys = Object.freeze(
  Object.entries(keys).map(([key, { support, note }]) => Object.freeze({ key, support, note })),
);

interface OnnxParameters {
  /** Absent: the backend chooses. */
  readonly threads?: number;
  readonly warnings: readonly ConfigWarning[];
}

const mostThreads = 1024;

/** The `parameters` of a model of the ONNX engine. Throws for a value that cannot be what its key means. */
export function readOnnxParameters(parameters: Readonly<Record<string, string>>, model: string): OnnxParameters {
  const warnings: ConfigWarning[] = [];
  let threads = 0;
  for (const [key, value] of Object.entries(parameters)) {
    const known = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (known?.support === 'honoured') threads = threadCount(key, value, model);
    else {
      const reason = known?.note ?? 'no engine knows this parameter';
      warnings.push({ field: `parameters[${key}]`, where: `parameters[${key}]`, reason });
    }
  }
  return threads > 0 ? { threads, warnings } : { warnings };
}

function threadCount(key: string, value: string, model: string): number {
  const count = /^\d{1,4}$/.test(value) ? Number(value) : -1;
  if (count >= 0 && count <= mostThreads) return count;
  const reason = `parameter '${key}' of model '${model}' is a number of threads from 0 to ${mostThreads}, got '${value}'`;
  throw new SkeinError('config_mismatch', { reason });
}
