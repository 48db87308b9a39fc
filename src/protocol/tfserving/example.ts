/** tensorflow.Example: features by name, each a list of one type (tensorflow/core/example/feature.proto). */
export type Example = ReadonlyMap<string, Feature>;

export type Feature =
  | { readonly kind: 'bytes'; readonly values: readonly Uint8Array[] }
  | { readonly kind: 'float'; readonly values: readonly number[] }
  | { readonly kind: 'int64'; readonly values: readonly bigint[] }
  /** No value was given, and so no type. */
  | { readonly kind: 'none'; readonly values: readonly never[] };
