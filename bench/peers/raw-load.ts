/**
 * Loads a model through the engine's own classes, with no server around it. argv: model file, directory of a cache or '' for
 * none. For each message it loads once, runs nothing, frees the model, and sends the milliseconds of the load.
 */
import { openRuntime } from '../../src/backends/engines/onnx/environment.ts';
import { GraphCache } from '../../src/backends/engines/onnx/graph-cache.ts';
import { OnnxEngine } from '../../src/backends/engines/onnx/onnx-engine.ts';
import { cpuProvider } from '../../src/backends/engines/onnx/providers.ts';
import { ModelDigests } from '../../src/fleet/repository/digest.ts';

const [path = '', cacheDirectory = ''] = process.argv.slice(2);
const digests = new ModelDigests();
const engine = new OnnxEngine(openRuntime(undefined), {
  provider: cpuProvider,
  fallback: 'refuse',
  cache: cacheDirectory === '' ? undefined : new GraphCache(cacheDirectory, 8 * 2 ** 30),
  digest: (file) => digests.digest(file),
  warn: (message) => process.stderr.write(`${message}\n`),
});

process.on('message', async () => {
  const startMs = performance.now();
  const files = { model: 'raw', version: 1, path };
  const model = await engine.load(files, { threads: 2, parameters: {} }, new AbortController().signal);
  const loadMs = performance.now() - startMs;
  await model.unload();
  process.send!(loadMs);
});
process.on('disconnect', () => process.exit(0));
