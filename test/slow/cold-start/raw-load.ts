/**
 * node raw-load.ts MODEL CACHE THREADS: for each line on standard input, loads an ONNX model that takes an image through the
 * engine's own classes, with no server around it, runs it once, frees it, and prints the milliseconds of the load and of
 * the run.
 */

import { createInterface } from 'node:readline';
import { openRuntime } from '../../../src/backends/engines/onnx/environment.ts';
import { GraphCache } from '../../../src/backends/engines/onnx/graph-cache.ts';
import { OnnxEngine } from '../../../src/backends/engines/onnx/onnx-engine.ts';
import { ModelDigests } from '../../../src/fleet/repository/digest.ts';
import { defaultSignatureName } from '../../../src/protocol/tensors/named-signature.ts';

const [path = '', cacheDirectory = '', threads = '1'] = process.argv.slice(2);
const digests = new ModelDigests();
const engine = new OnnxEngine(openRuntime(''), {
  provider: { name: 'cpu', deviceId: 0, memoryLimitBytes: 0 },
  fallback: 'refuse',
  cache: new GraphCache(cacheDirectory, 8 * 2 ** 30),
  digest: (file) => digests.digest(file),
  warn: (message, facts) => process.stderr.write(`${message} ${JSON.stringify(facts)}\n`),
});
const shape = [1, 3, 224, 224];
const bytes = new Uint8Array(4 * 3 * 224 * 224);
const image = { name: 'input', datatype: 'FP32', shape, parts: [bytes], byteLength: bytes.byteLength } as const;

for await (const _ of createInterface({ input: process.stdin })) {
  const startMs = performance.now();
  const files = { model: 'raw', version: 1, path };
  const model = await engine.load(files, { threads: Number(threads), parameters: {} }, new AbortController().signal);
  const loadedMs = performance.now();
  await model.run(defaultSignatureName, [image], ['output']);
  const ranMs = performance.now();
  await model.unload();
  process.stdout.write(`${JSON.stringify({ loadMs: loadedMs - startMs, runMs: ranMs - loadedMs })}\n`);
}
