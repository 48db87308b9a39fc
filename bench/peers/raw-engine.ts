/**
 * The limit: an image model in a loop through the same binding, without a server. argv: model file, and for a SavedModel
 * TensorFlow's library, whose runs have one thread. For each RawSetting that
 * it is sent, it answers a RawTurn; the model stays loaded while the number of threads stays.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../../src/backends/engines/engine.ts';
import { openRuntime } from '../../src/backends/engines/onnx/environment.ts';
import { OnnxEngine } from '../../src/backends/engines/onnx/onnx-engine.ts';
import { cpuProvider } from '../../src/backends/engines/onnx/providers.ts';
import { TensorflowEngine } from '../../src/backends/engines/tensorflow/tensorflow-engine.ts';
import { defaultSignatureName } from '../../src/protocol/tensors/named-signature.ts';

export interface RawSetting {
  readonly threads: number;
  readonly batch: number;
  readonly callers: number;
  readonly seconds: number;
  /** Between two runs of a caller, as a server rests for the next request; 0 where left out. */
  readonly restMs?: number;
}

export interface RawTurn {
  readonly rowsPerSecond: number;
  /** Of one run, as its caller sees it. */
  readonly p50Ms: number;
  readonly cpuMsPerRow: number;
}

const rowBytes = 4 * 3 * 224 * 224;
const files = { model: 'raw', version: 1, path: process.argv[2] ?? '' };
const isTensorflow = files.path.endsWith('.savedmodel');
const engine: Engine = isTensorflow
  ? new TensorflowEngine({
      library: process.argv[3] ?? '',
      allowFiles: false,
      intraOpThreads: 1,
      visibleGpus: '',
      gpuGrowth: true,
      gpuMemoryBytes: 0,
      warn: () => {},
    })
  : new OnnxEngine(openRuntime(undefined), {
      provider: cpuProvider,
      fallback: 'refuse',
      cache: undefined,
      digest: () => Promise.resolve(''),
      warn: () => {},
    });
let loaded: { readonly threads: number; readonly model: Awaited<ReturnType<typeof engine.load>> } | undefined;

process.on('message', async (setting: RawSetting) => process.send!(await turn(setting)));
process.on('disconnect', () => process.exit(0));
process.send!('ready');

async function turn({ threads, batch, callers, seconds, restMs = 0 }: RawSetting): Promise<RawTurn> {
  const model = await modelWith(threads);
  const image = new Uint8Array(rowBytes * batch);
  const shape = isTensorflow ? [batch, 224, 224, 3] : [batch, 3, 224, 224];
  const input = { name: 'input', datatype: 'FP32', shape, parts: [image], byteLength: image.byteLength } as const;
  const run = () => model.run(defaultSignatureName, [input], ['output']);
  await Promise.all(Array.from({ length: callers }, run));
  const times: number[] = [];
  const startMs = performance.now();
  const cpuBefore = process.cpuUsage();
  const keepRunning = async () => {
    for (let nowMs = startMs; nowMs < startMs + seconds * 1_000; ) {
      await run();
      const endMs = performance.now();
      times.push(endMs - nowMs);
      if (restMs > 0) await sleep(restMs);
      nowMs = restMs > 0 ? performance.now() : endMs;
    }
  };
  await Promise.all(Array.from({ length: callers }, keepRunning));
  const tookMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  const rows = times.length * batch;
  times.sort((a, b) => a - b);
  return {
    rowsPerSecond: (rows * 1_000) / tookMs,
    p50Ms: times[Math.floor(times.length / 2)]!,
    cpuMsPerRow: (user + system) / 1_000 / rows,
  };
}

async function modelWith(threads: number) {
  if (loaded?.threads !== threads) {
    await loaded?.model.unload();
    loaded = { threads, model: await engine.load(files, { threads, parameters: {} }, new AbortController().signal) };
  }
  return loaded.model;
}
