/** tensorflow.serving.ModelConfig, as far as it is acted on: a model of a model_config_list, nothing checked. */
export interface ListedModel {
  readonly name: string;
  readonly basePath: string;
  readonly platform: string;
  /** Undefined: none was written. */
  readonly versionPolicy: ListedPolicy | undefined;
  readonly labels: ReadonlyMap<string, number>;
}

export type ListedPolicy =
  | { readonly kind: 'latest'; readonly count: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'specific'; readonly versions: readonly number[] };
