import { readFile } from 'node:fs/promises';
import { SkeinError } from '../../protocol/errors.ts';
import { honoured, messageOf, part, tuning } from './field-row.ts';
import { fileFault } from './file-fault.ts';
import { MessageView } from './message-view.ts';
import { readMessage } from './read-message.ts';
import { readTextProto } from './text-proto.ts';

/** TensorFlow Serving's BatchingParameters (session_bundle_config.proto), with its defaults. */
export interface BatchingParameters {
  /** Rows of one request, and of one run unless that has a size of its own. */
  readonly maxBatchSize: number;
  /** Larger requests run in pieces of so many rows. Undefined: they are not split. */
  readonly maxExecutionBatchSize: number | undefined;
  readonly batchTimeoutUs: number;
  /** Full batches that may wait. */
  readonly maxEnqueuedBatches: number;
  /** Ascending, the last is that of the largest run: batches are filled up to the next of these. Empty: as they come. */
  readonly allowedBatchSizes: readonly number[];
  /** Requests whose inputs differ in length share a run, the shorter ones padded. */
  readonly padsLengths: boolean;
}

interface BatchingParametersFile {
  readonly parameters: BatchingParameters;
  /** What was written and has no effect. */
  readonly notices: readonly string[];
}

const int64Value = messageOf('Int64Value', { value: part('int64') });
const boolValue = messageOf('BoolValue', { value: part('bool') });
const stringValue = messageOf('StringValue', { value: part('string') });

const fields = messageOf('BatchingParameters', {
  max_batch_size: honoured(int64Value, 'rows of one run'),
  batch_timeout_micros: honoured(int64Value, 'how long a batch waits to be full'),
  max_enqueued_batches: honoured(int64Value, 'batches that wait'),
  num_batch_threads: tuning(
    int64Value,
    'how many runs go side by side follows from the cores and from what was measured',
  ),
  thread_pool_name: tuning(stringValue, 'threads have no names here'),
  allowed_batch_sizes: honoured('int64', 'batches are filled up to the next of these', { many: 'list' }),
  pad_variable_length_inputs: honoured('bool', 'requests of unequal lengths share a run'),
  enable_large_batch_splitting: honoured(boolValue, 'a large request runs in pieces'),
  max_execution_batch_size: honoured(int64Value, 'rows of such a piece'),
});

/** Undefined where no file is named; throws settings_file_wrong. */
export async function readBatchingParameters(path: string): Promise<BatchingParametersFile | undefined> {
  if (path === '') return undefined;
  try {
    return parseBatchingParameters(await readFile(path, 'utf8'), path);
  } catch (fault) {
    throw fileFault(path, fault);
  }
}

/** Throws `config_malformed`, which names the place, and `batching_parameters`. */
export function parseBatchingParameters(text: string, file: string): BatchingParametersFile {
  const notices: string[] = [];
  const source = { model: file, form: 'text' } as const;
  const message = readMessage(readTextProto(text, file), fields, source, ({ field, where, reason }) => {
    notices.push(`${field} at ${where} has no effect: ${reason}`);
  });
  const view = new MessageView(message);
  const count = (name: string, byDefault: number) => (view.has(name) ? view.message(name).count('value') : byDefault);
  const maxBatchSize = count('max_batch_size', 1000);
  const splits = view.message('enable_large_batch_splitting').flag('value');
  const parameters: BatchingParameters = {
    maxBatchSize,
    maxExecutionBatchSize: splits ? count('max_execution_batch_size', maxBatchSize) : undefined,
    batchTimeoutUs: count('batch_timeout_micros', 0),
    maxEnqueuedBatches: count('max_enqueued_batches', 10),
    allowedBatchSizes: view.counts('allowed_batch_sizes'),
    padsLengths: view.flag('pad_variable_length_inputs'),
  };
  check(parameters);
  return { parameters, notices };
}

function check(parameters: BatchingParameters): void {
  const { maxBatchSize, maxExecutionBatchSize = maxBatchSize, batchTimeoutUs, maxEnqueuedBatches } = parameters;
  const { allowedBatchSizes: allowed } = parameters;
  const refuse = (reason: string) => new SkeinError('batching_parameters', { reason });
  if (maxBatchSize < 1) throw refuse(`max_batch_size must be at least 1; was ${maxBatchSize}`);
  if (maxExecutionBatchSize < 1 || maxExecutionBatchSize > maxBatchSize) {
    const was = `was ${maxExecutionBatchSize}, and max_batch_size ${maxBatchSize}`;
    throw refuse(`max_execution_batch_size must be at least 1 and at most max_batch_size; ${was}`);
  }
  if (batchTimeoutUs < 0) throw refuse(`batch_timeout_micros must be non-negative; was ${batchTimeoutUs}`);
  if (maxEnqueuedBatches < 1) throw refuse(`max_enqueued_batches must be at least 1; was ${maxEnqueuedBatches}`);
  if (allowed.some((size, i) => size <= (allowed[i - 1] ?? 0))) {
    throw refuse('allowed_batch_sizes entries must be monotonically increasing');
  }
  const last = allowed.at(-1);
  if (last === undefined || last === maxExecutionBatchSize) return;
  const what =
    parameters.maxExecutionBatchSize === undefined
      ? 'Last entry in allowed_batch_sizes must match max_batch_size'
      : 'Last entry in allowed_batch_sizes must be equal to max_execution_batch_size';
  throw refuse(`${what}; last entry was ${last}; expected ${maxExecutionBatchSize}`);
}
