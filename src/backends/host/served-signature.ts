import { completeFurtherSignature } from '../../fleet/repository/complete-config.ts';
import type { CompletedModel, CompletedSignature, ModelSchema } from '../../fleet/repository/model-schema.ts';
import { type Reshape, reshaped } from '../../fleet/repository/reshape.ts';
import { defaultSignature, type NamedSignature, type Signatures } from '../../protocol/tensors/named-signature.ts';
import type { Signature, Tensor } from '../../protocol/tensors/tensor.ts';

/** One way to call a loaded copy. */
export interface ServedSignature {
  /** The model's own: full shapes as the engine takes and gives them, which dialects without a configuration go by. */
  readonly own: NamedSignature;
  /** As the dialects of TensorFlow Serving hold a request to it. */
  readonly called: Signature;
  /** What clients of the V2 dialects send and get: the configuration's view. */
  readonly schema: ModelSchema;
  /** From that view to the engine's and back, where they differ. */
  readonly reshape?: {
    toEngine(inputs: readonly Tensor[]): readonly Tensor[];
    toClient(output: Tensor): Tensor;
  };
}

/** The default one, and all by name. */
export interface ServedSignatures {
  readonly signature: ServedSignature;
  readonly signatures: ReadonlyMap<string, ServedSignature>;
}

/** The configuration is of the default signature; of the others the model's own shapes hold. */
export function servedSignatures(
  own: Signatures,
  completed: CompletedModel,
  chosen: NamedSignature = defaultSignature(own),
): ServedSignatures {
  const signatures = new Map<string, ServedSignature>();
  for (const [name, one] of own) {
    const view = one === chosen ? completed : completeFurtherSignature(completed.config, one);
    signatures.set(name, withReshape(one, view));
  }
  return { signature: signatures.get(chosen.name)!, signatures };
}

function withReshape(own: NamedSignature, view: CompletedSignature): ServedSignature {
  const { schema, inputReshapes, outputReshapes } = view;
  const called = calledSignature(own);
  if (inputReshapes.size === 0 && outputReshapes.size === 0) return { own, called, schema };
  const toEngine = (tensor: Tensor) => changed(tensor, inputReshapes.get(tensor.name));
  return {
    own,
    called,
    schema,
    reshape: {
      toEngine: (inputs) => inputs.map(toEngine),
      toClient: (output) => changed(output, outputReshapes.get(output.name)),
    },
  };
}

/**
 * Of shapes that are hints those of one value a row bind nobody. The others do: TensorFlow ends its process where some of
 * its kernels meet a rank that the graph was not made for (a convolution that is given [1,2]).
 */
export function calledSignature(own: NamedSignature): Signature {
  if (own.shapesAreHints !== true) return own;
  const inputs = own.inputs.map((spec) => (isOneValueARow(spec.shape) ? { ...spec, anyRank: true as const } : spec));
  return { inputs, outputs: own.outputs };
}

function isOneValueARow([rows = 1, ...row]: readonly number[]): boolean {
  return Math.abs(rows) === 1 && row.length <= 1 && row.every((size) => size === 1);
}

function changed(tensor: Tensor, reshape: Reshape | undefined): Tensor {
  return reshape === undefined ? tensor : { ...tensor, shape: reshaped(tensor.shape, reshape) };
}
