import { writeTensorflowMobileNetV2 } from '../../examples/models/tensorflow-mobilenet-v2.ts';
import { savedModelPath } from '../../test/fixtures/saved-models.ts';
import { tensorflowLibrary } from '../../test/fixtures/tensorflow-library.ts';
import type { BenchPart } from '../frame/bench-part.ts';
import { binaryRequest } from '../frame/binary-request.ts';
import { startSkeinServer } from '../frame/skein-server.ts';
import { startRawEngine } from '../peers/start-raw-engine.ts';
import { compare, type Setting } from './model-throughput.ts';

const model = 'tf_mobilenet';
const connections = 16;
const limit = 0.9;

/** V8 optimises while the first thousands of requests pass, of which there are little more than a hundred a second. */
const learningSeconds = 25;

/** TensorFlow's pool of threads is one for a process: two threads a run were half as good as two runs of one. */
const settings: readonly Setting[] = [1, 2, 4, 8].flatMap((batch) => [
  { batch, threads: 1, callers: 1 },
  { batch, threads: 1, callers: 2 },
]);

export const tensorflowThroughput: BenchPart = {
  title: 'Rows per second of MobileNetV2 as a SavedModel, against TensorFlow in a loop without a server',
  method:
    'Binary bodies of 602,112 bytes over 16 connections; Skein untuned, with router, backend and load generator on the same cores. The loop calls the same library through the same binding; a short scan finds its best batch and callers; then the two take turns.',
  async run(bench) {
    const found = findLibrary();
    if ('missing' in found) {
      const what = `rows/s of ${model} through Skein, over the loop's best`;
      return { bars: [{ what, sense: 'at least', limit, unit: '', figure: found }], tables: [], notes: [] };
    }
    const { library } = found;
    const write = (repository: string) => writeTensorflowMobileNetV2(savedModelPath(repository, model));
    const skein = await startSkeinServer(write, ['--tensorflow-lib', library]);
    try {
      const raw = await startRawEngine(savedModelPath(skein.repository, model), library);
      try {
        const request = binaryRequest(model, [1, 224, 224, 3]);
        const { bar, table } = await compare(
          bench,
          { model, settings, limit, request, connections, learningSeconds },
          raw,
          skein,
        );
        return { bars: [bar], tables: [table], notes: [] };
      } finally {
        raw.stop();
      }
    } finally {
      await skein.stop();
    }
  },
};

function findLibrary(): { readonly library: string } | { readonly missing: string } {
  try {
    return { library: tensorflowLibrary() };
  } catch (fault) {
    return { missing: `TensorFlow is absent: ${(fault as Error).message.split('\n', 1)[0]}` };
  }
}
