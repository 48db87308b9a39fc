import { SkeinError } from '../../../protocol/errors.ts';
import { appendProvider, type ProviderChoice } from './providers.ts';
import type { Pointer, RuntimeApi } from './runtime-api.ts';

export interface SessionOptions {
  /** Threads of one run, the calling one included. */
  readonly threads: number;
  /** `all` for a model as its author wrote it, `none` for one that was optimised before. */
  readonly optimise: 'all' | 'none';
  /** Where to write the optimised graph, and its weights beside it, while loading. */
  readonly saveTo?: { readonly graph: string; readonly weightsName: string };
  /** Memory of its own, so that allocator statistics speak of this session alone. Only to measure. */
  readonly ownArena?: boolean;
  readonly provider: ProviderChoice;
}

const optimisationLevels = { none: 0, all: 99 } as const;
/** Failures are told by status; printed, too, they would be a line for every bad request. */
const logFatal = 4;

/**
 * A pool thread that finds nothing to do looks on for so long before it sleeps: until the next node of the same run, mostly,
 * for which it would have to be woken. MobileNetV2 with two threads took 6.0 ms instead of 7.2, and no more CPU. Two of it
 * beside each other ran as many rows as without; where it looked on for 100 µs or longer, 12 to 35 % fewer, since it
 * burned the core that the other one could use.
 */
const spinUs = '20';

/** Before 1.26 the time cannot be bounded: milliseconds, in which a pool thread burns its core. */
export function spinEntries(version: string): Record<string, string> {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 1 || (major === 1 && minor < 26)) return { 'session.intra_op.allow_spinning': '0' };
  return { 'session.intra_op.allow_spinning': '1', 'session.intra_op.spin_duration_us': spinUs };
}

/** Smaller tensors stay in the graph file, which is read; larger ones go to the file that is mapped. */
const minExternalBytes = '1024';

/** Builds OrtSessionOptions, hands them to `use`, and frees them whatever happens. */
export async function withSessionOptions<T>(
  api: RuntimeApi,
  options: SessionOptions,
  use: (pointer: Pointer) => Promise<T>,
): Promise<T> {
  const pointer = api.create('CreateSessionOptions');
  try {
    api.call('SetSessionLogSeverityLevel', pointer, logFatal);
    api.call('SetIntraOpNumThreads', pointer, options.threads);
    api.call('SetInterOpNumThreads', pointer, 1);
    api.call('SetSessionGraphOptimizationLevel', pointer, optimisationLevels[options.optimise]);
    const entries: Record<string, string> = {
      ...spinEntries(api.version),
      'session.inter_op.allow_spinning': '0',
      ...(options.ownArena ? {} : { 'session.use_env_allocators': '1' }),
    };
    if (options.saveTo !== undefined) {
      api.call('SetOptimizedModelFilePath', pointer, options.saveTo.graph);
      entries['session.optimized_model_external_initializers_file_name'] = options.saveTo.weightsName;
      entries['session.optimized_model_external_initializers_min_size_in_bytes'] = minExternalBytes;
      // It will never run: a second layout of its weights would be memory and time for nothing.
      entries['session.disable_prepacking'] = '1';
    }
    for (const [key, value] of Object.entries(entries)) api.call('AddSessionConfigEntry', pointer, key, value);
    appendProvider(api, pointer, options.provider);
    return await use(pointer);
  } finally {
    api.release('ReleaseSessionOptions', pointer);
  }
}

/** The runtime's own words, without the places of files on this host: of a path only its last name is left. */
export function loadError(fault: unknown, model: string, version: number, path: string): SkeinError {
  if (fault instanceof SkeinError) return fault;
  const reason = (fault as Error).message
    .replaceAll(path, 'the model file')
    .replaceAll(/"\/[^"]*?([^"/]*)"/g, '"$1"')
    .replaceAll(/(?<![\w.])\/(?:[^\s"':/]+\/)+/g, '');
  return new SkeinError('load_failed', { model, version, reason }, { cause: fault });
}
