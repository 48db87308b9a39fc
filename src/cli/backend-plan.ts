import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadLaneWidth } from '../backends/batching/core-tokens.ts';
import type { BackendProcessOptions } from '../backends/host/process-options.ts';
import type { BackendSettings } from '../config/load-fleet-settings.ts';
import type { Settings } from '../config/settings.ts';
import type { BatchingParameters } from '../fleet/repository/batching-parameters.ts';
import type { EngineKind } from '../fleet/repository/model-backend.ts';
import { checkSourceOptions, type SourceOptions } from '../fleet/sources/open-sources.ts';
import { guardFiles } from './link-guard.ts';
import { softwareVersion } from './software-version.ts';

/** Threads of one run beyond which models of usual size gain little. */
const mostThreads = 4;

/** A backend that is apart serves one model at a time, and its memory comes on top of the budget while it is there. */
const apartShare = 4;

/** The one backend of this host that runs SavedModels: a runtime of its own, started on demand. */
export const tensorflowBackend = 't1';

/** What a backend process is told: its share of this host, and the settings that concern it. */
export function backendOptions(
  settings: Settings,
  id: string,
  engine: EngineKind,
  socketDir: string,
  batchingParameters?: BatchingParameters,
): BackendProcessOptions {
  const isOnDemand = id === tensorflowBackend;
  const isApart = !/^b\d+$/.test(id) && !isOnDemand;
  const share = Math.floor(settings.memoryBytes / (isApart ? apartShare : settings.backends));
  return {
    id,
    engine,
    address: `unix:${join(socketDir, `${id}.sock`)}`,
    software: softwareVersion,
    // What it may hold is taken from the others as it is needed.
    budgetBytes: isOnDemand ? 0 : share,
    ceilingBytes: isOnDemand ? settings.memoryBytes : share,
    sharesBudget: !isApart,
    cores: settings.cores,
    threads: settings.threadsPerRun === 0 ? usualThreads(engine, settings.cores) : settings.threadsPerRun,
    threadsAreGiven: settings.threadsPerRun !== 0,
    loads: settings.loadConcurrency === 0 ? loadLaneWidth(settings.cores) : settings.loadConcurrency,
    defaultMaxBatchSize: settings.defaultMaxBatchSize,
    defaultMaxQueueSize: settings.maxQueueSize,
    ...(batchingParameters !== undefined && { batchingParameters }),
    bodyMemoryBytes: settings.bodyMemoryBytes,
    graphCacheDir: settings.graphCacheBytes === 0 ? '' : join(settings.stateDir, 'graphs'),
    graphCacheBytes: settings.graphCacheBytes,
    sources: sourceOptions(settings, id),
    provider: settings.provider,
    providerDevice: settings.providerDevice,
    providerMemoryBytes: settings.providerMemoryBytes,
    providerFallback: settings.providerFallback,
    onnxruntimeLib: settings.onnxruntimeLib,
    tensorflowLib: settings.tensorflowLib,
    tensorflowFileOps: settings.tensorflowFileOps,
    tensorflowGpus: settings.tensorflowGpus,
    tensorflowGpuGrowth: settings.tensorflowGpuGrowth === 'on',
    tensorflowGpuMemoryBytes: settings.tensorflowGpuMemoryBytes,
    idleExitMs: isOnDemand ? settings.engineIdleMs : 0,
    drainTimeoutMs: settings.drainTimeoutMs,
    logLevel: settings.logLevel,
    logFormat: settings.logFormat,
  };
}

/** Each backend process has a cache of its own: what one of them needs another would give up. */
function sourceOptions(settings: Settings, id: string): SourceOptions {
  const options: SourceOptions = {
    allow: settings.sourceAllow,
    addresses: settings.sourceAddresses,
    cacheDir: join(settings.stateDir, 'fetched', id),
    cacheBytes: settings.sourceCacheBytes,
    concurrency: settings.sourceConcurrency,
    silenceMs: settings.sourceTimeoutMs,
    s3: { endpoint: settings.s3Endpoint, region: settings.s3Region, pathStyle: settings.s3PathStyle },
  };
  // Here it is one clear word at the start, in the backend it would be a process that never comes up.
  checkSourceOptions(options);
  return options;
}

/** How much of the time for a drain routers have to move copies; the rest is for the requests that are still in it. */
const handOverShare = 0.8;

/** What the one backend process of `skein backend` is told: all of this host's budget, and what guards its links. */
export function fleetBackendOptions(settings: BackendSettings, id: string, address: string): BackendProcessOptions {
  return {
    ...backendOptions(settings, id, settings.engine, ''),
    address,
    budgetBytes: settings.memoryBytes,
    ceilingBytes: settings.memoryBytes,
    sharesBudget: false,
    fleet: {
      modelDirs: settings.models,
      handOverMs: Math.floor(handOverShare * settings.drainTimeoutMs),
      ...guardFiles(settings),
    },
  };
}

/**
 * TensorFlow's operators gain less from a second thread than a second run does: MobileNetV2 on two cores, 203 to 228 images
 * a second in two runs of one thread, 88 to 104 in one run of two.
 */
function usualThreads(engine: EngineKind, cores: number): number {
  return engine === 'tensorflow' ? 1 : Math.min(mostThreads, cores);
}

/** The command line of a backend process, from sources in a clone and compiled in a package. */
export function backendProgram(): string[] {
  const source = fileURLToPath(new URL('./backend-process.ts', import.meta.url));
  const program = existsSync(source) ? source : source.replace(/\.ts$/, '.js');
  // A small nursery keeps the process small; with 1 MiB, or code made for size, a small request costs half as much again.
  // It is collected some 50 times a second under load: helpers that look for their share spend more than they save.
  return [process.execPath, '--max-semi-space-size=4', '--no-parallel-scavenge', program];
}
