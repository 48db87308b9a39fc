import type { Signature } from './tensor.ts';

/** What a signature is for, in TensorFlow's words. Models of other engines predict. */
export type SignatureMethod = 'predict' | 'classify' | 'regress';

/** One of the ways to call a model: a SavedModel may have several, an ONNX model has the one of the default name. */
export interface NamedSignature extends Signature {
  readonly name: string;
  readonly method: SignatureMethod;
  /** The runtime goes by its graph alone, and TensorFlow Serving takes other shapes than those. */
  readonly shapesAreHints?: true;
}

/** By name, in the model's order; never empty. */
export type Signatures = ReadonlyMap<string, NamedSignature>;

/** TensorFlow Serving's name of the signature that is meant where none is named. */
export const defaultSignatureName = 'serving_default';

/** Longest name, in bytes of UTF-8, that a request may choose a signature by. */
export const maxSignatureNameBytes = 1024;

/** Of a model that has one way to be called. */
export function onlySignature(signature: Signature): Signatures {
  return new Map([[defaultSignatureName, { ...signature, name: defaultSignatureName, method: 'predict' }]]);
}

/** The signature that requests without a name get: the usual name's, else the only one, else the first that predicts. */
export function defaultSignature(signatures: Signatures): NamedSignature {
  const named = signatures.get(defaultSignatureName);
  if (named !== undefined) return named;
  const all = [...signatures.values()];
  return all.find(({ method }) => method === 'predict') ?? all[0]!;
}
