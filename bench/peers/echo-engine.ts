import type { Engine, EngineFacts, LoadedModel, ModelFiles } from '../../src/backends/engines/engine.ts';
import { onlySignature } from '../../src/protocol/tensors/named-signature.ts';
import type { Signature, Tensor, TensorSpec } from '../../src/protocol/tensors/tensor.ts';

/** The bench's models that only look at what comes, by name. */
const shapes: Readonly<Record<string, { readonly input: readonly number[]; readonly output: readonly number[] }>> = {
  identity: { input: [-1, 16], output: [-1, 16] },
  glance: { input: [-1, 3, 224, 224], output: [-1, 1, 1, 8] },
};

const floatBytes = 4;

/** No runtime: a run hands back the first numbers of its input. What is left of a request is the way through the server. */
export class EchoEngine implements Engine {
  readonly kind = 'onnx';

  probe(): EngineFacts {
    return { kind: 'echo', version: '1', library: '', providers: [] };
  }

  estimateBytes(): Promise<number> {
    return Promise.resolve(0);
  }

  loadPeakBytes(): Promise<number> {
    return Promise.resolve(0);
  }

  load({ model }: ModelFiles): Promise<LoadedModel> {
    const shape = shapes[model];
    if (shape === undefined) throw new Error(`no echo of '${model}'`);
    const signature: Signature = { inputs: [spec('input', shape.input)], outputs: [spec('output', shape.output)] };
    return Promise.resolve({
      signatures: onlySignature(signature),
      memory: { residentBytes: 0, runPeakBytes: () => 0 },
      run: (_signature, [input]) => Promise.resolve([firstNumbers(input!, shape.output.slice(1))]),
      unload: () => Promise.resolve(),
    });
  }
}

function spec(name: string, shape: readonly number[]): TensorSpec {
  return { name, datatype: 'FP32', shape };
}

function firstNumbers({ parts, shape: [rows] }: Tensor, rowShape: readonly number[]): Tensor {
  const shape = [rows!, ...rowShape];
  const byteLength = shape.reduce((product, length) => product * length, floatBytes);
  const bytes = new Uint8Array(byteLength);
  let at = 0;
  for (const part of parts) {
    const piece = part.subarray(0, byteLength - at);
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  return { name: 'output', datatype: 'FP32', shape, parts: [bytes], byteLength };
}
