import type { Engine } from '../backends/engines/engine.ts';
import { openRuntime } from '../backends/engines/onnx/environment.ts';
import { GraphCache } from '../backends/engines/onnx/graph-cache.ts';
import { OnnxEngine } from '../backends/engines/onnx/onnx-engine.ts';
import { TensorflowEngine } from '../backends/engines/tensorflow/tensorflow-engine.ts';
import { Host } from '../backends/host/host.ts';
import { LinkServer } from '../backends/host/link-server.ts';
import { ModelLocator } from '../backends/host/model-locator.ts';
import type { BackendProcessOptions } from '../backends/host/process-options.ts';
import { reportToSupervisor, tellOfEnding } from '../backends/host/supervisor-line.ts';
import { processEnvironment } from '../config/environment.ts';
import { ModelDigests } from '../fleet/repository/digest.ts';
import { noPeers } from '../fleet/sources/file-reader.ts';
import { openSources } from '../fleet/sources/open-sources.ts';
import { readLinkGuard } from './link-guard.ts';
import { createLog } from './log.ts';

/** Root of a backend process: its options are its only argument, its standard input its lifeline. */
async function main(options: BackendProcessOptions): Promise<void> {
  const log = createLog({ level: options.logLevel, format: options.logFormat }).child({ backend: options.id });
  const warn = (message: string, facts: Record<string, unknown>) => log.warn(facts, message);
  const engine = options.engine === 'tensorflow' ? tensorflowEngine(options, warn) : await onnxEngine(options, warn);
  const fetcher = await openSources(options.sources, processEnvironment(), noPeers);
  const { fleet } = options;
  const locator = fleet === undefined ? undefined : new ModelLocator(options.id, fleet.modelDirs);
  const host = new Host({
    ...options,
    ...(fetcher !== undefined && { fetcher }),
    engine,
    ...(locator !== undefined && {
      locate: (spec) => locator.locate(spec),
      find: (path: string) => locator.find(path),
    }),
    trace: (message, facts) => log.debug(facts, message),
    warn: (model, warnings) => {
      for (const warning of warnings) warn('configuration field has no effect here', { model, ...warning });
    },
  });
  const guard = fleet === undefined ? {} : readLinkGuard(fleet);
  const server = new LinkServer(
    host,
    (message, facts) => log[fleet === undefined ? 'debug' : 'info'](facts, message),
    guard,
  );
  await server.listen(options.address);
  // TensorFlow is opened by the first load: where it is missing, that load says so.
  const facts = options.engine === 'onnx' ? engine.probe() : { kind: engine.kind };
  log.info({ pid: process.pid, ...facts }, 'backend listens');
  const drain = async () => {
    if (fleet !== undefined) await host.handOver(fleet.handOverMs, () => server.connections);
    await host.drain();
    await server.close();
  };
  reportToSupervisor(host);
  endWithParent();
  endOnSignal(drain, options.drainTimeoutMs);
  if (options.idleExitMs > 0) endWhenIdle(host, drain, options.idleExitMs);
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

/** Ends a process that has held nothing for a while: its runtime alone is worth hundreds of models' memory to the others. */
function endWhenIdle(host: Host, drain: () => Promise<void>, idleMs: number): void {
  let emptySinceMs = performance.now();
  let isEnding = false;
  const look = () => {
    const nowMs = performance.now();
    if (!host.isEmpty) emptySinceMs = nowMs;
    if (isEnding || nowMs - emptySinceMs < idleMs) return;
    isEnding = true;
    tellOfEnding();
    void drain().then(() => process.exit(0));
  };
  setInterval(look, Math.min(1_000, idleMs / 4)).unref();
}

/** The supervisor holds the other end of standard input: when it is gone, so is the reason to be here. */
function endWithParent(): void {
  process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0));
  process.stdin.resume();
}

/** The first signal drains, a second one or the deadline ends. */
function endOnSignal(drain: () => Promise<void>, timeoutMs: number): void {
  let isDraining = false;
  const onSignal = () => {
    if (isDraining) process.exit(1);
    isDraining = true;
    setTimeout(() => process.exit(1), timeoutMs).unref();
    void drain().then(() => process.exit(0));
  };
  process.on('SIGTERM', onSignal);
  // A terminal sends SIGINT to the whole group: whether to end is the supervisor's decision.
  process.on('SIGINT', () => {});
}

void main(JSON.parse(process.argv[2]!) as BackendProcessOptions).catch((fault: Error) => {
  process.stderr.write(
    `${JSON.stringify({ level: 60, msg: 'backend process could not start', reason: fault.message })}\n`,
  );
  process.exit(1);
});
