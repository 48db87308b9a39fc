import type { Engine } from '../backends/engines/engine.ts';
import { openRuntime } from '../backends/engines/onnx/environment.ts';
import { GraphCache } from '../backends/engines/onnx/graph-cache.ts';
import { OnnxEngine } from '../backends/engines/onnx/onnx-engine.ts';
import { TensorflowEngine } from '../backends/engines/tensorflow/tensorflow-engine.ts';
import type { BackendProcessOptions } from '../backends/host/process-options.ts';
import { ModelDigests } from '../fleet/repository/digest.ts';
import { createLog } from './log.ts';
import { serveBackend } from './serve-backend.ts';

/** Root of a backend process: its options are its only argument, its standard input its lifeline. */
async function main(options: BackendProcessOptions): Promise<void> {
  const log = createLog({ level: options.logLevel, format: options.logFormat }).child({ backend: options.id });
  const warn = (message: string, facts: Record<string, unknown>) => log.warn(facts, message);
  const engine = options.engine === 'tensorflow' ? tensorflowEngine(options, warn) : await onnxEngine(options, warn);
  await serveBackend(options, engine, log);
}

type Warn = (message: string, facts: Record<string, unknown>) => void;

async function onnxEngine(options: BackendProcessOptions, warn: Warn): Promise<Engine> {
  const cache =
    options.graphCacheDir === '' ? undefined : new GraphCache(options.graphCacheDir, options.graphCacheBytes);
  await cache?.sweep();
  const digests = new ModelDigests();
  return new OnnxEngine(openRuntime(options.onnxruntimeLib), {
    provider: {
      name: options.provider,
      deviceId: options.providerDevice,
      memoryLimitBytes: options.providerMemoryBytes,
    },
    fallback: options.providerFallback,
    cache,
    digest: (path) => digests.digest(path),
    warn,
  });
}

function tensorflowEngine(options: BackendProcessOptions, warn: Warn): Engine {
  return new TensorflowEngine({
    library: options.tensorflowLib,
    allowFiles: options.tensorflowFileOps === 'allow',
    intraOpThreads: options.threads,
    visibleGpus: options.tensorflowGpus,
    gpuGrowth: options.tensorflowGpuGrowth,
    gpuMemoryBytes: options.tensorflowGpuMemoryBytes,
    warn,
  });
}

void main(JSON.parse(process.argv[2]!) as BackendProcessOptions).catch((fault: Error) => {
  process.stderr.write(
    `${JSON.stringify({ level: 60, msg: 'backend process could not start', reason: fault.message })}\n`,
  );
  process.exit(1);
});
