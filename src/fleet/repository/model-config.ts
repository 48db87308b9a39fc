import type { Datatype } from '../../protocol/tensors/datatype.ts';

/**
 * One model's configuration, as Triton's `config.pbtxt` has it: checked, with every default filled in, deeply frozen.
 *
 * Only what Skein acts on has a field of its own. What merely tunes Triton is kept in `tuning`, so that the configuration
 * served to clients repeats what the user wrote. What would change answers if it were ignored never gets this far.
 */
export interface ModelConfig {
  readonly name: string;
  /** `onnxruntime_onnx`, `tensorflow_savedmodel`, …; empty until the configuration is completed from the model file. */
  readonly platform: string;
  readonly backend: string;
  readonly runtime: string;
  readonly versionPolicy: VersionPolicy;
  /** 0: the model has no batch dimension; otherwise `dims` leave it out. */
  readonly maxBatchSize: number;
  readonly inputs: readonly ConfigInput[];
  readonly outputs: readonly ConfigOutput[];
  readonly instanceGroups: readonly InstanceGroup[];
  /** Absent: requests are run one by one. */
  readonly dynamicBatching?: DynamicBatching;
  readonly parameters: Readonly<Record<string, string>>;
  readonly modelWarmup: readonly WarmupSample[];
  /** Empty: the file name that the engine expects (`model.onnx`). */
  readonly defaultModelFilename: string;
  /** Fields of the protobuf message that have no effect here, as written, by their protobuf names: shown again, no more. */
  readonly tuning: Readonly<Record<string, ConfigValue>>;
  /** Protobuf names of the top-level fields that the user wrote: what is not here is a default or came from the model. */
  readonly written: ReadonlySet<string>;
}

export type ConfigValue =
  | string
  | number
  | boolean
  | readonly ConfigValue[]
  | { readonly [field: string]: ConfigValue };

export type VersionPolicy =
  | { readonly kind: 'latest'; readonly count: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'specific'; readonly versions: readonly number[] };

type InputFormat = 'FORMAT_NONE' | 'FORMAT_NHWC' | 'FORMAT_NCHW';

export interface ConfigTensor {
  readonly name: string;
  readonly dataType: Datatype;
  /** As clients see it, the batch dimension left out where the model batches. -1 is free; [] is a scalar. */
  readonly dims: readonly number[];
  /** The shape that the engine sees, batch dimension left out, where it differs from `dims` (see reshape.ts). */
  readonly reshape?: readonly number[];
}

export interface ConfigInput extends ConfigTensor {
  readonly format: InputFormat;
  readonly optional: boolean;
}

export interface ConfigOutput extends ConfigTensor {
  /** A file in the model's directory, one label a line; empty: none. */
  readonly labelFilename: string;
}

type InstanceKind = 'KIND_AUTO' | 'KIND_GPU' | 'KIND_CPU' | 'KIND_MODEL';

export interface InstanceGroup {
  readonly name: string;
  readonly kind: InstanceKind;
  /** Runs at once; 0 until the configuration is completed, where the user left it to the server. */
  readonly count: number;
  /** The user asked for exactly `count`. */
  readonly countWritten: boolean;
  readonly gpus: readonly number[];
  /** As `ModelConfig.tuning`: rate_limiter, host_policy, profile, secondary_devices. */
  readonly tuning: Readonly<Record<string, ConfigValue>>;
}

export interface DynamicBatching {
  /** Ascending, without repeats; empty: the largest batch alone. */
  readonly preferredBatchSizes: readonly number[];
  readonly maxQueueDelayUs: number;
  readonly preserveOrdering: boolean;
  /** 0: priorities are off; else 1 (highest) to this. */
  readonly priorityLevels: number;
  readonly defaultPriorityLevel: number;
  readonly defaultQueuePolicy: QueuePolicy;
  /** By level. A level that is not here has the default policy. */
  readonly priorityQueuePolicy: ReadonlyMap<number, QueuePolicy>;
}

export interface QueuePolicy {
  /** DELAY: a request past its time is run after all that are not. */
  readonly timeoutAction: 'REJECT' | 'DELAY';
  /** 0: none. */
  readonly defaultTimeoutUs: number;
  /** A request may shorten the default, never lengthen it. */
  readonly allowTimeoutOverride: boolean;
  /** Requests, per priority level. 0: no bound. */
  readonly maxQueueSize: number;
}

export interface WarmupSample {
  readonly name: string;
  readonly batchSize: number;
  readonly count: number;
  readonly inputs: readonly WarmupInput[];
}

export interface WarmupInput {
  readonly name: string;
  readonly dataType: Datatype;
  readonly dims: readonly number[];
  readonly data:
    | { readonly kind: 'zero' }
    | { readonly kind: 'random' }
    | { readonly kind: 'file'; readonly file: string };
}

/** A field that was written and has no effect here because it only tunes. Handed on as data; whoever loads logs it. */
export interface ConfigWarning {
  /** Path by protobuf names: `optimization.cuda.graphs`. */
  readonly field: string;
  /** `line 3, column 5`, or the path inside a JSON document. */
  readonly where: string;
  readonly reason: string;
}

export interface ParsedConfig {
  readonly config: ModelConfig;
  readonly warnings: readonly ConfigWarning[];
}
