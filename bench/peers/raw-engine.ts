/** The limit: the engine in a loop, without a server. argv: model file, RawSetting as JSON, seconds. Sends rows/s. */

import { openRuntime } from '../../src/backends/engines/onnx/environment.ts';
import { OnnxEngine } from '../../src/backends/engines/onnx/onnx-engine.ts';
import { cpuProvider } from '../../src/backends/engines/onnx/providers.ts';
import { defaultSignatureName } from '../../src/protocol/tensors/named-signature.ts';

export interface RawSetting {
  readonly threads: number;
  readonly batch: number;
  readonly callers: number;
}

const [path, setting, seconds] = process.argv.slice(2);
const { threads, batch, callers } = JSON.parse(setting!) as RawSetting;
const engine = new OnnxEngine(openRuntime(undefined), {
  provider: cpuProvider,
  fallback: 'refuse',
  cache: undefined,
  digest: () => Promise.resolve(''),
  warn: () => {},
});
const files = { model: 'raw', version: 1, path: path! };
const model = await engine.load(files, { threads, parameters: {} }, new AbortController().signal);
const image = new Uint8Array(4 * 3 * 224 * 224 * batch);
const shape = [batch, 3, 224, 224];
const input = { name: 'input', datatype: 'FP32', shape, parts: [image], byteLength: image.byteLength } as const;
await model.run(defaultSignatureName, [input], ['output']);
let runs = 0;
const startMs = performance.now();
const endMs = startMs + Number(seconds) * 1000;
async function keepRunning(): Promise<void> {
  while (performance.now() < endMs) {
    await model.run(defaultSignatureName, [input], ['output']);
    runs++;
  }
}
await Promise.all(Array.from({ length: callers }, keepRunning));
process.send?.((runs * batch * 1000) / (performance.now() - startMs));
