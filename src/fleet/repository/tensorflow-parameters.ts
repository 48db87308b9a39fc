import type { ConfigWarning } from './model-config.ts';

type Support = 'honoured' | 'tuning';

/** What becomes of each `parameters` key of Triton's TensorFlow backend. */
const keys: Readonly<Record<string, { readonly support: Support; readonly note: string }>> = {
  TF_SIGNATURE_DEF: { support: 'honoured', note: 'the signature of requests that name none' },
  TF_GRAPH_TAG: {
    support: 'honoured',
    note: 'tags of the graph to load, with commas between them; `serve` without it',
  },
  TF_NUM_INTRA_THREADS: { support: 'tuning', note: 'all models of the process share one pool of threads' },
  TF_NUM_INTER_THREADS: { support: 'tuning', note: 'the operators of one run follow each other' },
  TF_USE_PER_SESSION_THREADS: { support: 'tuning', note: 'all models of the process share one pool of threads' },
  TF_INIT_OPS_FILE: { support: 'tuning', note: "a SavedModel's own initialiser is run" },
  MAX_SESSION_SHARE_COUNT: { support: 'tuning', note: 'all instances of a model share one session' },
};

/** Names of the keys and what becomes of them, for the documentation. */
export const tensorflowParameterKeys = Object.freeze(
  Object.entries(keys).map(([key, { support, note }]) => Object.freeze({ key, support, note })),
);

interface TensorflowParameters {
  readonly signature?: string;
  /** What the engine is told: TF_GRAPH_TAG. */
  readonly forEngine: Readonly<Record<string, string>>;
  readonly warnings: readonly ConfigWarning[];
}

/** The `parameters` of a model of the TensorFlow engine. */
export function readTensorflowParameters(parameters: Readonly<Record<string, string>>): TensorflowParameters {
  const warnings: ConfigWarning[] = [];
  const forEngine: Record<string, string> = {};
  let signature: string | undefined;
  for (const [key, value] of Object.entries(parameters)) {
    if (key === 'TF_SIGNATURE_DEF') signature = value;
    else if (key === 'TF_GRAPH_TAG') forEngine[key] = value;
    else {
      const reason = Object.hasOwn(keys, key) ? keys[key]!.note : 'no engine knows this parameter';
      warnings.push({ field: `parameters[${key}]`, where: `parameters[${key}]`, reason });
    }
  }
  return { forEngine, warnings, ...(signature === undefined ? {} : { signature }) };
}
