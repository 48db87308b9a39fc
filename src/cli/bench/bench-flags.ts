import type { OptionRow } from '../verb.ts';
import { arrivalKinds } from './arrivals.ts';
import { dataKinds } from './input-values.ts';

const bodyKinds = ['binary', 'json', 'grpc'] as const;
export type BodyKind = (typeof bodyKinds)[number];

/** What each flag is where it is not given. */
export const benchDefaults = {
  concurrency: '1,8,32',
  arrivals: 'poisson',
  connections: '256',
  body: 'binary',
  batch: '1',
  data: 'random',
  zipf: '0',
  window: '2s',
  'warm-up': '1s',
  'max-windows': '10',
  stability: '10',
  timeout: '30s',
  seed: '1',
} as const;

type WithDefault = keyof typeof benchDefaults;

function row(flag: WithDefault, value: string, summary: string): OptionRow {
  return { value, summary: `${summary}; default ${benchDefaults[flag]}` };
}

/** The flags of `skein bench`, beside --url. */
export const benchOptions = {
  concurrency: row(
    'concurrency',
    'LIST',
    'closed loop: so many connections, each with one request under way; one level each',
  ),
  rate: {
    value: 'LIST',
    summary: 'open loop instead: requests per second, whatever became of those before; one level each',
  },
  arrivals: { ...row('arrivals', arrivalKinds.join('|'), 'how those of --rate are spread'), choices: arrivalKinds },
  connections: row('connections', 'N', 'most connections that --rate opens; what is due beyond that waits'),
  body: {
    ...row('body', bodyKinds.join('|'), "how tensors travel: V2 over HTTP, or TensorFlow Serving's Predict over gRPC"),
    choices: bodyKinds,
  },
  grpc: {
    value: 'URL',
    summary: 'where --body grpc goes; default port 8001 beside --url, which is still asked about the models',
  },
  batch: row('batch', 'N', 'rows a request'),
  shape: {
    value: 'INPUT=DIMS',
    many: true,
    summary: 'shape of an input whose dimensions the metadata leaves open, as x=1,3,48,192; may be given several times',
  },
  data: { ...row('data', dataKinds.join('|'), 'what the tensors hold'), choices: dataKinds },
  request: {
    value: 'FILE',
    completesFiles: true,
    summary: 'send the JSON of this file instead of a body made from the metadata',
  },
  zipf: row('zipf', 'S', 'the k-th model is asked in proportion to 1/k^S; 0: all alike'),
  window: row('window', 'TIME', 'length of a window'),
  'warm-up': row('warm-up', 'TIME', 'load before the first window of a level'),
  'max-windows': row('max-windows', 'N', 'windows until it is given up to wait for three that agree'),
  stability: row('stability', 'PERCENT', 'how far apart rates and latencies of three windows may be'),
  timeout: row('timeout', 'TIME', 'after which a request counts as failed'),
  seed: row('seed', 'N', 'of arrivals, models and random data: the same again for the same'),
  csv: { value: 'FILE', completesFiles: true, summary: "write the levels in perf_analyzer's columns" },
  chart: { value: 'FILE', completesFiles: true, summary: 'write latency by percentile as an SVG picture' },
  json: { value: undefined, summary: 'print JSON, for programs' },
} as const satisfies Record<string, OptionRow>;
