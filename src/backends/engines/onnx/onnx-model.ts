import { SkeinError } from '../../../protocol/errors.ts';
import { onlySignature, type Signatures } from '../../../protocol/tensors/named-signature.ts';
import type { Signature, Tensor } from '../../../protocol/tensors/tensor.ts';
import type { LoadedModel, MemoryFacts, ModelNotes, SiblingSessions } from '../engine.ts';
import { pointerArray } from '../native-memory.ts';
import { SessionRuns } from '../session-runs.ts';
import type { RuntimeEnvironment } from './environment.ts';
import { type Pointer, stringArray } from './runtime-api.ts';
import { createInput, type InputValue, readOutput } from './tensor-values.ts';

/** What one run hands to C: off the JavaScript heap, reused by the next run of the same session. */
interface RunArguments {
  readonly inputs: BigUint64Array;
  readonly outputs: BigUint64Array;
  readonly options: Pointer;
}

export interface OnnxModelFacts {
  readonly signature: Signature;
  readonly memory: MemoryFacts;
  readonly reloadMs?: number;
  readonly afterUnload: () => Promise<void>;
  readonly siblings?: SiblingSessions;
  readonly notes?: ModelNotes;
  /** Its graph is of operators whose time follows from shapes alone, and it runs on this processor. */
  readonly isSteady?: boolean;
}

/** What a run hands over, held until it is over. */
interface Prepared {
  readonly args: RunArguments;
  readonly values: InputValue[];
  readonly call: readonly ['Run', Pointer, Pointer, Buffer, BigUint64Array, number, Buffer, number, BigUint64Array];
  /** The table that remembers them may be emptied meanwhile. */
  readonly names: readonly NameArray[];
}

/** One ONNX Runtime session; any number of runs at once. */
export class OnnxModel implements LoadedModel {
  readonly signatures: Signatures;
  readonly memory: MemoryFacts;
  readonly reloadMs?: number;
  readonly siblings?: SiblingSessions;
  readonly notes?: ModelNotes;
  readonly runHere?: NonNullable<LoadedModel['runHere']>;
  readonly #runtime: RuntimeEnvironment;
  readonly #session: Pointer;
  readonly #afterUnload: () => Promise<void>;
  readonly #nameArrays = new Map<string, NameArray>();
  readonly #spare: RunArguments[] = [];
  readonly #runs = new SessionRuns();

  constructor(runtime: RuntimeEnvironment, session: Pointer, facts: OnnxModelFacts) {
    this.#runtime = runtime;
    this.#session = session;
    this.signatures = onlySignature(facts.signature);
    this.memory = facts.memory;
    if (facts.reloadMs !== undefined) this.reloadMs = facts.reloadMs;
    this.#afterUnload = facts.afterUnload;
    if (facts.siblings !== undefined) this.siblings = facts.siblings;
    if (facts.notes !== undefined) this.notes = facts.notes;
    if (facts.isSteady) this.runHere = (_signature, inputs, wanted) => this.#runHere(inputs, wanted);
  }

  async run(
    _signature: string,
    inputs: readonly Tensor[],
    wanted: readonly string[],
    signal?: AbortSignal,
  ): Promise<Tensor[]> {
    this.#runs.begin(signal);
    const { api } = this.#runtime;
    const prepared = this.#prepare(inputs, wanted);
    const { args } = prepared;
    const terminate = () => api.call('RunOptionsSetTerminate', args.options);
    try {
      this.#wrapInputs(prepared, inputs);
      signal?.addEventListener('abort', terminate, { once: true });
      await api.callAsync(...prepared.call);
      return wanted.map((name, i) => readOutput(this.#runtime, name, args.outputs[i]!));
    } catch (fault) {
      if (signal?.aborted) throw new SkeinError('cancelled', {}, { cause: fault });
      throw runFailed(fault);
    } finally {
      if (signal !== undefined) {
        signal.removeEventListener('abort', terminate);
        if (signal.aborted) api.call('RunOptionsUnsetTerminate', args.options);
      }
      this.#finish(prepared);
    }
  }

  #runHere(inputs: readonly Tensor[], wanted: readonly string[]): Tensor[] {
    this.#runs.begin();
    const prepared = this.#prepare(inputs, wanted);
    try {
      this.#wrapInputs(prepared, inputs);
      this.#runtime.api.call(...prepared.call);
      return wanted.map((name, i) => readOutput(this.#runtime, name, prepared.args.outputs[i]!));
    } catch (fault) {
      throw runFailed(fault);
    } finally {
      this.#finish(prepared);
    }
  }

  #prepare(inputs: readonly Tensor[], wanted: readonly string[]): Prepared {
    const args = this.#arguments(inputs.length, wanted.length);
    const inputNames = this.#names(inputs.map((tensor) => tensor.name));
    const outputNames = this.#names(wanted);
    return {
      args,
      values: [],
      call: [
        'Run',
        this.#session,
        args.options,
        inputNames.pointer,
        args.inputs,
        inputs.length,
        outputNames.pointer,
        wanted.length,
        args.outputs,
      ],
      names: [inputNames, outputNames],
    };
  }

  #wrapInputs({ args, values }: Prepared, inputs: readonly Tensor[]): void {
    for (const [i, tensor] of inputs.entries()) {
      const value = createInput(this.#runtime, tensor, this.#runtime.staging);
      values.push(value);
      args.inputs[i] = value.pointer;
    }
  }

  #finish({ args, values, names }: Prepared): void {
    const { api, staging } = this.#runtime;
    for (const { pointer, staged } of values) {
      api.release('ReleaseValue', pointer);
      if (staged !== undefined) staging.giveBack(staged);
    }
    for (const value of args.outputs) if (value !== 0n) api.release('ReleaseValue', value);
    args.outputs.fill(0n); // the next run may end before it begins, and frees what stands here
    this.#spare.push(args);
    keepUntilNow(...names);
    this.#runs.end();
  }

  async unload(): Promise<void> {
    if (!(await this.#runs.close())) return;
    const { api } = this.#runtime;
    for (const args of this.#spare) api.release('ReleaseRunOptions', args.options);
    await api.releaseAsync('ReleaseSession', this.#session);
    await this.#afterUnload();
  }

  /** With room for at least so many; the runtime says what is wrong where they are more than the model has. */
  #arguments(inputs: number, outputs: number): RunArguments {
    const spare = this.#spare.pop();
    if (spare !== undefined && spare.inputs.length >= inputs && spare.outputs.length >= outputs) return spare;
    return {
      inputs: pointerArray(inputs),
      outputs: pointerArray(outputs),
      options: spare?.options ?? this.#runtime.api.create('CreateRunOptions'),
    };
  }

  /** Name arrays are kept: requests of one model ask for few combinations, and each is bound by its signature. */
  #names(names: readonly string[]): NameArray {
    const key = `${names.length}\0${names.join('\0')}`;
    let array = this.#nameArrays.get(key);
    if (array === undefined) {
      array = stringArray(names);
      if (this.#nameArrays.size >= maxNameArrays) this.#nameArrays.clear();
      this.#nameArrays.set(key, array);
    }
    return array;
  }
}

function runFailed(fault: unknown): SkeinError {
  return new SkeinError('run_failed', { reason: (fault as Error).message }, { cause: fault });
}

type NameArray = ReturnType<typeof stringArray>;

/** A model of many outputs could be asked for ever new sets of them. */
const maxNameArrays = 64;

/** A call is a use, and what is used later is not collected before. */
function keepUntilNow(..._used: readonly unknown[]): void {}
