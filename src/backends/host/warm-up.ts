import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ConfigInput, WarmupInput, WarmupSample } from '../../fleet/repository/model-config.ts';
import type { CompletedModel } from '../../fleet/repository/model-schema.ts';
import { reshaped } from '../../fleet/repository/reshape.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { CopySpec } from '../../protocol/link/messages.ts';
import { elementBytes } from '../../protocol/tensors/datatype.ts';
import type { NamedSignature } from '../../protocol/tensors/named-signature.ts';
import { elementCount, type Tensor } from '../../protocol/tensors/tensor.ts';
import type { LoadedModel } from '../engines/engine.ts';

/** Runs `model_warmup`, sample by sample, before a copy is ready; a failure fails the load, as in Triton. */
export async function warmUp(
  model: LoadedModel,
  signature: NamedSignature,
  completed: CompletedModel,
  spec: CopySpec,
): Promise<void> {
  const outputs = signature.outputs.map((output) => output.name);
  for (const sample of completed.config.modelWarmup) {
    if (sample.batchSize === 0) continue;
    try {
      const inputs = await Promise.all(sample.inputs.map((input) => sampleTensor(input, sample, completed, spec)));
      for (let i = 0; i < Math.max(1, sample.count); i++) await model.run(signature.name, inputs, outputs);
    } catch (fault) {
      const reason = `warm-up sample '${sample.name}' failed: ${(fault as Error).message}`;
      throw new SkeinError('load_failed', { model: spec.model, version: spec.version, reason }, { cause: fault });
    }
  }
}

async function sampleTensor(
  input: WarmupInput,
  sample: WarmupSample,
  { config, schema, inputReshapes }: CompletedModel,
  spec: CopySpec,
): Promise<Tensor> {
  const declared = config.inputs.find((candidate: ConfigInput) => candidate.name === input.name);
  if (declared === undefined) throw new Error(`it has an input '${input.name}' that the model does not have`);
  const shape = schema.maxBatchSize > 0 ? [Math.max(1, sample.batchSize), ...input.dims] : [...input.dims];
  const bytes = await sampleBytes(input, elementCount(shape), spec);
  const reshape = inputReshapes.get(input.name);
  return {
    name: input.name,
    datatype: input.dataType,
    shape: reshape === undefined ? shape : reshaped(shape, reshape),
    parts: [bytes],
    byteLength: bytes.byteLength,
  };
}

async function sampleBytes({ data, dataType }: WarmupInput, elements: number, spec: CopySpec): Promise<Uint8Array> {
  // A string element of no bytes is its length alone: four zeros.
  const byteLength = elements * (dataType === 'BYTES' ? 4 : elementBytes[dataType]);
  switch (data.kind) {
    case 'zero':
      return new Uint8Array(byteLength);
    case 'random':
      return randomBytes(dataType === 'BYTES' ? 0 : byteLength, byteLength);
    case 'file':
      // Triton keeps these files in the folder `warmup` of the model; a name cannot lead out of it.
      return readFile(join(spec.directory, 'warmup', basename(data.file)));
    default:
      return data satisfies never;
  }
}

/** Small numbers in every format: a byte pattern of high bits only where it is harmless. */
function randomBytes(filled: number, total: number): Uint8Array {
  const bytes = new Uint8Array(total);
  for (let i = 0; i < filled; i++) bytes[i] = (i * 2_654_435_761) >>> 26; // deterministic, below 64
  return bytes;
}
