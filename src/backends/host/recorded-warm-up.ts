import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isAbsent } from '../../fleet/repository/file-stamp.ts';
import { SkeinError } from '../../protocol/errors.ts';
import { readWarmupLog } from '../../protocol/tfserving/warmup-log.ts';
import type { LoadedModel } from '../engines/engine.ts';
import { bodyCodecs, type CodecModel } from './body-codec.ts';

/** More are a mistake: TensorFlow Serving's own limit. */
const mostRecords = 1_000;

/**
 * Runs the requests that lie in a SavedModel's `assets.extra/tf_serving_warmup_requests`, before a copy is ready; a failure
 * fails the load, as in TensorFlow Serving. Answers how many there were.
 */
export async function warmUpAsRecorded(model: LoadedModel, codecModel: CodecModel, file: string): Promise<number> {
  const directory = basename(file) === 'saved_model.pb' ? dirname(file) : file;
  let bytes: Buffer;
  try {
    bytes = await readFile(join(directory, 'assets.extra', 'tf_serving_warmup_requests'));
  } catch (fault) {
    if (isAbsent(fault)) return 0;
    throw fault;
  }
  try {
    const requests = readWarmupLog(bytes);
    if (requests.length > mostRecords)
      throw new Error(`it has ${requests.length} requests, at most ${mostRecords} are run`);
    for (const { kind, body } of requests) {
      const calls = bodyCodecs[kind].decode([body], { kind, headerLength: undefined, signature: '' }, codecModel);
      for (const { request, signature } of [calls].flat()) {
        const wanted = request.outputs.map(({ name }) => name);
        await model.run(signature.own.name, request.inputs, wanted);
      }
    }
    return requests.length;
  } catch (fault) {
    const reason = `the requests in assets.extra/tf_serving_warmup_requests cannot be run: ${(fault as Error).message}`;
    const { model: name, version } = codecModel;
    throw new SkeinError('load_failed', { model: name, version, reason }, { cause: fault });
  }
}
