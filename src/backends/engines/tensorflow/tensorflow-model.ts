import { SkeinError } from '../../../protocol/errors.ts';
import type { Signatures } from '../../../protocol/tensors/named-signature.ts';
import type { Tensor } from '../../../protocol/tensors/tensor.ts';
import type { LoadedModel, MemoryFacts } from '../engine.ts';
import { pointerArray } from '../native-memory.ts';
import { SessionRuns } from '../session-runs.ts';
import type { HeapMeter } from './heap-meter.ts';
import type { GraphSignature } from './saved-model.ts';
import { TensorPlaces } from './tensor-places.ts';
import { createInput, readOutput } from './tensor-values.ts';
import type { Pointer, TensorflowApi } from './tensorflow-api.ts';

/** A session and the graph that it runs. */
export interface OpenGraph {
  readonly session: Pointer;
  readonly graph: Pointer;
}

/** What one run hands to C: off the JavaScript heap, reused by the next run of the same session. */
interface RunArguments {
  readonly inputs: BigUint64Array;
  readonly outputs: BigUint64Array;
  /** Arrays of TF_Output, held here until the run is over: the table that remembers them may be emptied meanwhile. */
  from: Buffer | undefined;
  to: Buffer | undefined;
}

/** One TensorFlow session; any number of runs at once. */
export class TensorflowModel implements LoadedModel {
  readonly signatures: Signatures;
  #memory: MemoryFacts = { residentBytes: 0, runPeakBytes: () => 0 };
  /** Told of runs once the model serves: its own trials belong to its load. */
  #meter: HeapMeter | undefined;
  readonly #api: TensorflowApi;
  readonly #open: OpenGraph;
  readonly #runOptions: Pointer;
  readonly #places: ReadonlyMap<string, TensorPlaces>;
  readonly #afterUnload: () => Promise<void>;
  readonly #spare: RunArguments[] = [];
  readonly #runs = new SessionRuns();

  /** Throws where a signature names what the graph does not have. */
  constructor(
    api: TensorflowApi,
    open: OpenGraph,
    facts: {
      signatures: ReadonlyMap<string, GraphSignature>;
      runOptions: Pointer;
      afterUnload: () => Promise<void>;
    },
  ) {
    this.#api = api;
    this.#open = open;
    this.#runOptions = facts.runOptions;
    this.#afterUnload = facts.afterUnload;
    this.signatures = new Map([...facts.signatures].map(([name, { signature }]) => [name, signature]));
    this.#places = new Map(
      [...facts.signatures].map(([name, found]) => [name, new TensorPlaces(api, open.graph, found)]),
    );
  }

  get memory(): MemoryFacts {
    return this.#memory;
  }

  /** It is loaded and measured. */
  serve(memory: MemoryFacts, meter: HeapMeter): void {
    this.#memory = memory;
    this.#meter = meter;
  }

  /**
   * TensorFlow has no way to end a run of a session: one that nobody wants any more goes on to its end, and its promise
   * settles then, as `cancelled`, so that its cores count as taken for as long as they are.
   */
  async run(
    signature: string,
    inputs: readonly Tensor[],
    wanted: readonly string[],
    signal?: AbortSignal,
  ): Promise<Tensor[]> {
    const outputs = await this.runWith(this.#runOptions, null, signature, inputs, wanted, signal);
    if (signal?.aborted) throw new SkeinError('cancelled');
    return outputs;
  }

  /** With options of its own, and a TF_Buffer for what TensorFlow tells of the run, or null. */
  async runWith(
    options: Pointer,
    metadata: Pointer | null,
    signature: string,
    inputs: readonly Tensor[],
    wanted: readonly string[],
    signal?: AbortSignal,
  ): Promise<Tensor[]> {
    this.#runs.begin(signal);
    const api = this.#api;
    const args = this.#arguments(inputs.length, wanted.length);
    let inputCount = 0;
    this.#meter?.runBegins();
    try {
      const places = this.#places.get(signature)!;
      args.from = places.inputs(inputs.map((tensor) => tensor.name));
      args.to = places.outputs(wanted);
      for (const tensor of inputs) args.inputs[inputCount++] = createInput(api, tensor);
      args.outputs.fill(0n);
      await api.tryAsync(
        'TF_SessionRun',
        this.#open.session,
        options,
        args.from,
        args.inputs,
        inputs.length,
        args.to,
        args.outputs,
        wanted.length,
        null,
        0,
        metadata,
      );
      return wanted.map((name, i) => readOutput(api, name, args.outputs[i]!));
    } catch (fault) {
      if (fault instanceof SkeinError) throw fault;
      throw new SkeinError('run_failed', { reason: firstLine((fault as Error).message) }, { cause: fault });
    } finally {
      for (let i = 0; i < inputCount; i++) if (args.inputs[i] !== 0n) api.call('TF_DeleteTensor', args.inputs[i]!);
      for (const value of args.outputs) if (value !== 0n) api.call('TF_DeleteTensor', value);
      args.inputs.fill(0n);
      args.outputs.fill(0n);
      this.#spare.push(args);
      this.#meter?.runEnds();
      this.#runs.end();
    }
  }

  async unload(): Promise<void> {
    if (!(await this.#runs.close())) return;
    this.#meter?.disturb();
    await closeGraph(this.#api, this.#open);
    await this.#afterUnload();
  }

  /** With room for at least so many. */
  #arguments(inputs: number, outputs: number): RunArguments {
    const spare = this.#spare.pop();
    if (spare !== undefined && spare.inputs.length >= inputs && spare.outputs.length >= outputs) return spare;
    return { inputs: pointerArray(inputs), outputs: pointerArray(outputs), from: undefined, to: undefined };
  }
}

/** Frees both, off the event loop. */
export async function closeGraph(api: TensorflowApi, { session, graph }: OpenGraph): Promise<void> {
  await api.tryAsync('TF_CloseSession', session);
  await api.tryAsync('TF_DeleteSession', session);
  await api.callAsync('TF_DeleteGraph', graph);
}

/** What follows it are the places in the graph where an operation was written, line by line. */
function firstLine(message: string): string {
  const end = message.indexOf('\n');
  return end < 0 ? message : message.slice(0, end);
}
