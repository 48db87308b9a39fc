/** A fake of a loaded model: runs wait until a test lets them go, and what went in and came out is remembered. */
import type { LoadedModel, MemoryFacts } from '../../../src/backends/engines/engine.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { onlySignature, type Signatures } from '../../../src/protocol/tensors/named-signature.ts';
import type { Signature, Tensor } from '../../../src/protocol/tensors/tensor.ts';

interface FakeRun {
  readonly signature: string;
  readonly inputs: readonly Tensor[];
  readonly wanted: readonly string[];
  readonly signal: AbortSignal | undefined;
  /** Lets it end as the model would end it. */
  finish(): void;
  fail(error: Error): void;
}

interface FakeModelOptions {
  /** One without a name is the only one. */
  readonly signature: Signature | Signatures;
  /** What comes out. */
  readonly compute: (inputs: readonly Tensor[], wanted: readonly string[]) => Tensor[];
  /** Runs end by themselves, in a later turn of the event loop. */
  readonly isQuick?: boolean;
  readonly memory?: MemoryFacts;
}

export class FakeModel implements LoadedModel {
  readonly signatures: Signatures;
  readonly memory: MemoryFacts;
  readonly #options: FakeModelOptions;
  /** All that were ever begun. */
  readonly runs: FakeRun[] = [];
  running = 0;
  mostRunning = 0;
  unloads = 0;

  constructor(options: FakeModelOptions) {
    this.#options = options;
    const { signature } = options;
    this.signatures = 'inputs' in signature ? onlySignature(signature) : signature;
    this.memory = options.memory ?? { residentBytes: 1_000, runPeakBytes: () => 0 };
  }

  run(
    signature: string,
    inputs: readonly Tensor[],
    wanted: readonly string[],
    signal?: AbortSignal,
  ): Promise<Tensor[]> {
    if (this.unloads > 0) throw new Error('a run of a model that was unloaded');
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    const ended = Promise.withResolvers<Tensor[]>();
    const run: FakeRun = {
      signature,
      inputs,
      wanted,
      signal,
      finish: () => {
        try {
          ended.resolve(this.#options.compute(inputs, wanted));
        } catch (fault) {
          ended.reject(fault);
        }
      },
      fail: ended.reject,
    };
    this.runs.push(run);
    signal?.addEventListener('abort', () => ended.reject(new SkeinError('cancelled')), { once: true });
    if (this.#options.isQuick === true) setImmediate(run.finish);
    return ended.promise.finally(() => {
      this.running -= 1;
    });
  }

  unload(): Promise<void> {
    if (this.running > 0) throw new Error('unloaded with runs under way');
    this.unloads += 1;
    return Promise.resolve();
  }
}

/** x FP32 [-1,2] and name BYTES [-1,1] to the same, y and label: rows tell whose they are. */
export const echoSignature: Signature = {
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, 2] },
    { name: 'name', datatype: 'BYTES', shape: [-1, 1] },
  ],
  outputs: [
    { name: 'y', datatype: 'FP32', shape: [-1, 2] },
    { name: 'label', datatype: 'BYTES', shape: [-1, 1] },
  ],
};

const echoes: Readonly<Record<string, string>> = { y: 'x', label: 'name' };

export function echo(inputs: readonly Tensor[], wanted: readonly string[]): Tensor[] {
  return wanted.map((name) => {
    const input = inputs.find((one) => one.name === echoes[name])!;
    const bytes = Buffer.concat(input.parts);
    return { ...input, name, parts: [bytes], byteLength: bytes.length };
  });
}
