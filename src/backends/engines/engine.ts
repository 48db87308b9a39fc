import type { Signatures } from '../../protocol/tensors/named-signature.ts';
import type { Tensor } from '../../protocol/tensors/tensor.ts';

/** One runtime that can hold models: ONNX Runtime, later TensorFlow; and `echo` for tests and benches. */
export interface Engine {
  readonly kind: string;
  /** What was found on this machine; throws a SkeinError that names the remedy where the runtime is missing. */
  probe(): EngineFacts;
  /** What a model that was never loaded is expected to hold, by its files. */
  estimateBytes(files: ModelFiles): Promise<number>;
  /** The most that a load of these may hold before it is done: more than the model will, where it is prepared first. */
  loadPeakBytes(files: ModelFiles): Promise<number>;
  /** Never blocks the event loop for more than a few milliseconds. An aborted load frees what it took. */
  load(files: ModelFiles, options: EngineOptions, signal: AbortSignal): Promise<LoadedModel>;
}

export interface EngineFacts {
  readonly kind: string;
  readonly version: string;
  readonly library: string;
  readonly providers: readonly string[];
}

export interface ModelFiles {
  readonly model: string;
  readonly version: number;
  /** The version's directory, or the single file that was named on the command line. */
  readonly path: string;
}

export interface EngineOptions {
  /** Threads of one run, the calling thread included. */
  readonly threads: number;
  /** Free-form `parameters` of config.pbtxt that this engine understands; the caller has refused the others. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Outputs that the configuration names, for models that do not say themselves what they are. */
  readonly outputs?: readonly string[];
}

export interface MemoryFacts {
  /** Held for as long as the model is loaded: weights, graph, prepacked copies. */
  readonly residentBytes: number;
  /** Taken for the length of one run of `rows` rows, as far as measured; an upper estimate beyond. */
  runPeakBytes(rows: number): number;
}

/** Further sessions over the weights of a model that is loaded. */
export interface SiblingSessions {
  /** What each of them holds beside the weights that all share; weights that kernels repacked for themselves among it. */
  readonly residentBytes: number;
  /** One with so many threads a run. It is unloaded by itself, before the first. */
  load(threads: number): Promise<LoadedModel>;
}

/** A place for what is learned of a model by running it, kept for as long as the engine's own files of it. */
export interface ModelNotes {
  /** Undefined where nothing was written, or it cannot be read. */
  read(name: string): Promise<string | undefined>;
  /** Never rejects: what cannot be kept is learned anew. */
  write(name: string, text: string): Promise<void>;
}

export interface LoadedModel {
  readonly signatures: Signatures;
  readonly memory: MemoryFacts;
  /** What loading it again takes, where this load took longer because it prepared the model for those that follow. */
  readonly reloadMs?: number;
  /** Absent where a second session would hold the weights a second time. */
  readonly siblings?: SiblingSessions;
  /** Absent where the engine keeps no files of the model. */
  readonly notes?: ModelNotes;
  /**
   * Runs `signature`, one of those above, once. `inputs` may be read until the promise settles, wherever it settles; outputs own their bytes and come in
   * the order of `wanted`. Aborting `signal` ends the run early with code `cancelled`.
   */
  run(signature: string, inputs: readonly Tensor[], wanted: readonly string[], signal?: AbortSignal): Promise<Tensor[]>;
  /**
   * The same on this thread. Absent where a run may take longer than others of the same shapes did: what is in the tensors
   * decides then, or the engine is not on this processor.
   */
  readonly runHere?: (signature: string, inputs: readonly Tensor[], wanted: readonly string[]) => Tensor[];
  /** Waits for runs under way, then gives the memory back to the system. */
  unload(): Promise<void>;
}
